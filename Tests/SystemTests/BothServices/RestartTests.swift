import Foundation
import TestSupport
import Testing

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
                    tally.add(reply.map { "\($0.status) \($0.body)" } ?? "closed")
                    break
                }
                tally.add("answered")
                isLast = isLast || reply["Connection"] == "close"
            } while !isLast && !isOver.isOpen
        } catch {
            if "\(error)" != "Connection refused" { tally.add("\(error)") }
            usleep(2000)  // The pace of the retries.
        }
    }
}

/// Restarts a service over and over on one port, while eight clients send it requests.
///
/// - Returns: how many were answered, and what became of those that were accepted and were not.
func restart(
    _ name: String, _ arguments: [String], times count: Int, target: String
) throws -> Tally {
    var service = try ServiceProcess(name, arguments)
    let port = service.port
    let isOver = Gate()
    let tally = Tally()
    let loads = (0..<8).map { number in
        inBackground {
            load(
                target, port: port, keepsConnections: number.isMultiple(of: 2), until: isOver, tally
            )
        }
    }
    defer {
        isOver.open()
        for load in loads { #expect(eventually(within: .seconds(30)) { load.isOpen }) }
    }
    for _ in 0..<count {
        let before = tally["answered"]
        #expect(eventually { tally["answered"] > before + 100 })
        service.signal(SIGTERM)
        #expect(service.exitCode() == 0, "\(service.errorText)")
        service = try ServiceProcess(
            name, arguments, address: ["--host", "127.0.0.1", "--port", String(port)])
        try #require(service.port == port, "\(service.errorText)")
    }
    let before = tally["answered"]
    #expect(eventually { tally["answered"] > before + 100 })
    return tally
}

extension SystemTests {
    @Suite struct RestartTests {
        @Test func `A restart under load loses no request that was accepted`() throws {
            let a = try ServiceProcess("service-a")
            for (name, arguments, target) in [
                ("service-a", [], "/echo?msg=x"),
                (
                    "service-b", ["--service-a-url", "http://127.0.0.1:\(a.port)"],
                    "/call-echo?msg=x"
                ),
            ] {
                let tally = try restart(name, arguments, times: 3, target: target)
                #expect(Set(tally.counts.keys) == ["answered"])
            }
        }

        @Test func `A shutdown under load ends at the timeout, whatever is held`() throws {
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
            #expect(eventually { tally["answered"] > 100 })
            let start = ContinuousClock.now
            b.signal(SIGTERM)
            #expect(b.exitCode() == 0)
            #expect(ContinuousClock.now - start < patience(.milliseconds(300 + 500 + 1000)))
            #expect(Set(tally.counts.keys) == ["answered"])
            for client in held {
                #expect(try client.everything(within: .seconds(1)).text == "")
            }
        }
    }
}
