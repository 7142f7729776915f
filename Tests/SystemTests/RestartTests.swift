import Foundation
import Synchronization
import TestSupport
import Testing

/// What clients have seen.
private final class Tally: Sendable {
    let answered = Counter()
    private let reasons = Mutex<[String]>([])

    /// What became of requests that were accepted and not answered.
    var lost: [String] { reasons.withLock { $0 } }

    func lose(_ reason: String) {
        reasons.withLock { $0.append(reason) }
    }
}

/// Sends requests until `isOver` and retries where a connection is refused, and nowhere else.
private func load(
    _ target: String, port: UInt16, keepsConnections: Bool, until isOver: Gate,
    _ tally: Tally
) {
    while !isOver.isOpen {
        do {
            let client = try HTTPClient(port: port)
            var isLast = !keepsConnections
            repeat {
                try client.request(target)
                let reply = try client.response()
                guard let reply, reply.status == 200 else {
                    tally.lose(reply.map { "\($0.status) \($0.body)" } ?? "closed")
                    break
                }
                tally.answered.add()
                isLast = isLast || reply["Connection"] == "close"
            } while !isLast && !isOver.isOpen
        } catch {
            if "\(error)" != "Connection refused" { tally.lose("\(error)") }
            usleep(2000)  // The pace of the retries.
        }
    }
}

/// Restarts a service over and over on one port, while eight clients send it requests.
///
/// - Returns: how many were answered, and what became of those that were accepted and were not.
func restart(
    _ name: String, _ arguments: [String], times count: Int, target: String
) throws -> (answered: Int, lost: [String]) {
    var service = try ServiceProcess(name, arguments)
    let port = service.port
    let isOver = Gate()
    let tally = Tally()
    let loads = (0..<8).map { number in
        let isDone = Gate()
        Thread.detachNewThread {
            load(
                target, port: port, keepsConnections: number.isMultiple(of: 2), until: isOver, tally
            )
            isDone.open()
        }
        return isDone
    }
    defer {
        isOver.open()
        for load in loads { #expect(eventually(within: .seconds(30)) { load.isOpen }) }
    }
    for _ in 0..<count {
        let before = tally.answered.value
        #expect(eventually { tally.answered.value > before + 100 })
        service.signal(SIGTERM)
        #expect(service.exitCode() == 0)
        service = try ServiceProcess(
            name, arguments, address: ["--host", "127.0.0.1", "--port", String(port)])
        try #require(service.port == port, "\(service.errorText)")
    }
    let before = tally.answered.value
    #expect(eventually { tally.answered.value > before + 100 })
    return (tally.answered.value, tally.lost)
}

extension SystemTests {
    @Suite struct RestartTests {
        @Test func `A restart under load loses no request that was accepted`() async throws {
            try await onThread { () throws in
                let a = try ServiceProcess("service-a")
                for (name, arguments, target) in [
                    ("service-a", [], "/echo?msg=x"),
                    (
                        "service-b", ["--service-a-url", "http://127.0.0.1:\(a.port)"],
                        "/call-echo?msg=x"
                    ),
                ] {
                    let (_, lost) = try restart(name, arguments, times: 3, target: target)
                    #expect(lost.isEmpty)
                }
            }
        }

        @Test func `A shutdown under load ends at the timeout, whatever is held`() async throws {
            try await onThread { () throws in
                let peer = try Peer { $0.waitForClose() }
                let b = try serviceB(
                    calling: peer.port,
                    ["--timeout", "1m", "--drain-delay", "300ms", "--shutdown-timeout", "500ms"])
                let held = try (0..<100).map { _ in try HTTPClient(port: b.port) }
                for client in held { try client.request("/call-echo") }
                #expect(eventually { peer.connections.value == 100 })
                let isOver = Gate()
                let tally = Tally()
                for number in 0..<4 {
                    Thread.detachNewThread {
                        load(
                            "/health", port: b.port, keepsConnections: number.isMultiple(of: 2),
                            until: isOver, tally)
                    }
                }
                defer { isOver.open() }
                #expect(eventually { tally.answered.value > 100 })
                let start = ContinuousClock.now
                b.signal(SIGTERM)
                #expect(b.exitCode() == 0)
                #expect(ContinuousClock.now - start < patience(.milliseconds(300 + 500 + 1000)))
                #expect(tally.lost.isEmpty)
                for client in held {
                    #expect(try client.everything(within: .seconds(1)).text == "")
                }
            }
        }
    }
}
