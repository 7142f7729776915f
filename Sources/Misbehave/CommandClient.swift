import Glibc
import Misbehaviours

/// A client that is a command: it is run anew for each misbehaviour.
struct CommandClient: Client {
    private let command: [String]

    /// Takes a command in which `{url}` stands for the server's address.
    init(_ command: [String]) {
        self.command = command
    }

    func attempt(_ misbehaviour: Misbehaviour, within limit: Duration) throws -> Attempt {
        let peer = try Peer(serve: misbehaviour.serve)
        let url = "http://127.0.0.1:\(peer.port)"
        let child = try Child(command.map { $0.replacing("{url}", with: url) })
        let start = ContinuousClock.now
        let (status, memory) = child.wait(until: start + limit)
        let time = ContinuousClock.now - start
        withExtendedLifetime(peer) {}
        let signal = status & 0x7f
        let code = status >> 8 & 0xff
        // What a shell exits with for a command that a signal has ended.
        let crashes = [SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGKILL, SIGSEGV]
        return Attempt(
            end: signal == 0 ? "exit \(code)" : time < limit ? "signal \(signal)" : "killed",
            time: time, memory: memory, hasAnswer: status == 0,
            hasCrashed: time < limit && (signal != 0 || crashes.contains(code - 128)))
    }
}
