import ArgumentParser
import Glibc
import Misbehaviours
import ServiceKit

/// `misbehave serve`.
struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Misbehave on a port until stopped, and log a line for each connection.",
        discussion: "To GET /echo?msg=… those with a right answer echo the message.")

    @Argument(help: "What to do, by its name in the list.")
    var name: String?

    @Option(parsing: .upToNextOption, help: "What to do after that, in this order.")
    var then: [String] = []

    @Option("Connections before the next one's turn", variable: "n", .wholeNumber(1...1_000_000))
    var after = 1

    @Flag(help: "Do all of the list in turn, one for each connection, over and over.")
    var mixed = false

    @Option("Port to listen on; 0 takes a free one", variable: "port", .wholeNumber(0...65535))
    var port: UInt16 = 8080

    @Option("Address to listen on", variable: "host", Setting(takes: "an address") { $0 })
    var host = "127.0.0.1"

    func run() throws {
        let plan = try plan()
        let count = SharedCount()
        let peer = try Peer(host: host, port: port) { [after, mixed] connection in
            let number = count.add()
            let turn = number / (mixed ? 1 : after)
            let one = plan[mixed ? turn % plan.count : min(turn, plan.count - 1)]
            let start = ContinuousClock.now
            one.serve(connection)
            let time = (ContinuousClock.now - start).inMilliseconds
            Misbehave.show("connection \(number + 1): \(one.name), for \(time)")
        }
        // As the first process of a container, it would not be ended by the signal itself.
        for stop in [SIGINT, SIGTERM] { _ = signal(stop) { _ in _exit(0) } }
        Misbehave.show("listening host=\(host) port=\(peer.port)")
        withExtendedLifetime(peer) {
            while true { pause() }
        }
    }

    /// The misbehaviours, in this order.
    private func plan() throws -> [Misbehaviour] {
        if mixed {
            guard name == nil, then.isEmpty else {
                throw UsageError("--mixed does all: it takes no name")
            }
            return Misbehaviour.all
        }
        guard let name else { throw UsageError("serve takes a name, or --mixed") }
        return try ([name] + then).flatMap { try Misbehaviour.called($0) }
    }
}

extension Misbehaviour {
    /// The one of this name, or those of this kind.
    static func called(_ name: String) throws(UsageError) -> [Misbehaviour] {
        let all = named(name)
        guard !all.isEmpty else {
            throw UsageError("there is no \(name.debugDescription); see misbehave list")
        }
        return all
    }
}

extension Duration {
    /// As in `503 ms`, rounded up.
    var inMilliseconds: String { "\(Int((self / .milliseconds(1)).rounded(.up))) ms" }
}
