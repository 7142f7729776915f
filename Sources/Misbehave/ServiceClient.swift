import FoundationEssentials
import MicroHTTPD
import Misbehaviours
import ServiceKit
import Synchronization

/// A client that is a running server: it calls us when it is asked.
final class ServiceClient: Client {
    private let host: String
    private let port: UInt16
    private let target: String
    private let pid: Int32?
    private let current: Current
    private let peer: Peer

    /// What the peer does at present.
    private final class Current: Sendable {
        let misbehaviour = Mutex(Misbehaviour.plain)
    }

    /// Listens where the service expects its server, on loopback.
    init(_ url: String, port serverPort: UInt16, pid: Int32?) throws {
        guard
            let match = url.wholeMatch(
                of: #/http://([^/:]+|\[[0-9a-fA-F:.]+\])(?::(\d+))?(/\S*)?/#),
            let port = UInt16(match.2 ?? "80")
        else { throw UsageError("--service takes an http URL, not \(url.debugDescription)") }
        host = match.1.filter { !"[]".contains($0) }
        self.port = port
        target = String(match.3 ?? "/")
        self.pid = pid
        let current = Current()
        self.current = current
        peer = try Peer(port: serverPort) { connection in
            current.misbehaviour.withLock(\.self).serve(connection)
        }
    }

    func attempt(_ misbehaviour: Misbehaviour, within limit: Duration) throws -> Attempt {
        set(misbehaviour)
        if let pid {
            try? "5".write(toFile: "/proc/\(pid)/clear_refs", atomically: false, encoding: .utf8)
        }
        let asked = (0..<3).map { _ in ask(within: limit) }
        let memory = peakMemory()
        set(.plain)
        // Twice, since an answer too many may still be on the way to the first.
        var afterwards = ask(within: limit)
        if !afterwards.hasAnswer { afterwards = ask(within: limit) }
        var ends: [String] = []
        for one in asked where !ends.contains(one.end) { ends.append(one.end) }
        var attempt = asked.sorted { $0.time < $1.time }[1]
        attempt.end = ends.joined(separator: ", ")
        if let late = asked.first(where: { $0.time >= limit }) { attempt.time = late.time }
        attempt.memory = memory
        // One answer of three is enough to deceive, and one failure to refuse.
        attempt.hasAnswer =
            misbehaviour.mayBeAnswered
            ? asked.allSatisfy(\.hasAnswer) : asked.contains(where: \.hasAnswer)
        attempt.hasCrashed = asked.contains(where: \.hasCrashed) || afterwards.hasCrashed
        attempt.isStuck = !afterwards.hasAnswer
        return attempt
    }

    private func set(_ misbehaviour: Misbehaviour) {
        current.misbehaviour.withLock { $0 = misbehaviour }
    }

    /// Asks the service once.
    private func ask(within limit: Duration) -> Attempt {
        let start = ContinuousClock.now
        var answer: [UInt8] = []
        do {
            let socket = try Socket(connectingTo: host, port: port, timeout: limit)
            try socket.send(
                Array(
                    "GET \(target) HTTP/1.1\r\nHost: \(host):\(port)\r\nConnection: close\r\n\r\n"
                        .utf8))
            while case let bytes = try socket.receive(), !bytes.isEmpty { answer += bytes }
        } catch {
            let time = ContinuousClock.now - start
            let isLate = time >= limit
            return Attempt(
                end: isLate ? "no answer" : "\(error)", time: time, hasCrashed: !isLate)
        }
        let time = ContinuousClock.now - start
        let text = String(decoding: answer, as: UTF8.self)
        guard let status = text.firstMatch(of: #/^HTTP\/1\.\d (\d+)/#)?.1 else {
            return Attempt(end: "no answer", time: time, hasCrashed: true)
        }
        // The first word of the details, as Service B has it.
        let word = text.firstMatch(of: #/"details":"(\w+):/#).map { " `\($0.1)`" } ?? ""
        return Attempt(
            end: "\(status)\(word)", time: time,
            hasAnswer: status.hasPrefix("2") && text.contains(message))
    }

    /// The message that should come back; empty if there is none.
    private var message: String {
        Query(Array(target.utf8.drop { $0 != UInt8(ascii: "?") }.dropFirst()))["msg"] ?? ""
    }

    /// The peak memory of the process since it was last reset.
    private func peakMemory() -> Int? {
        guard let pid,
            let status = try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8),
            let kilobytes = status.firstMatch(of: #/VmHWM:\s+(\d+)/#).flatMap({ Int($0.1) })
        else { return nil }
        return kilobytes * 1024
    }
}
