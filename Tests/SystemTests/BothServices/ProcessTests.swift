import Foundation
import TestSupport
import Testing

extension SystemTests {
    @Suite struct ProcessTests {
        @Test(arguments: [SIGTERM, SIGINT], ["service-a", "service-b"])
        func `A signal ends a service with 0`(signal: CInt, name: String) throws {
            let service = try ServiceProcess(name)
            #expect(try get("/health", port: service.port).status == 200)
            service.signal(signal)
            #expect(service.exitCode() == 0)
            #expect(service.lines.last?.contains(" stopped ") == true)
        }

        @Test func `Calls in flight at SIGTERM are answered, and ready says no meanwhile`() throws {
            let gate = Gate()
            let peer = try lateServiceA(gate, answering: "late")
            let b = try serviceB(
                calling: peer.port, ["--drain-delay", "500ms", "--timeout", "10s"])
            #expect(try get("/ready", port: b.port).status == 200)
            let clients = try (0..<100).map { _ in try HTTPClient(port: b.port) }
            for client in clients { try client.request("/call-echo?msg=late") }
            #expect(eventually { peer.connections.value == 100 })
            b.signal(SIGTERM)
            #expect(try eventually { try get("/ready", port: b.port).status == 503 })
            #expect(
                try get("/ready", port: b.port).body.hasSuffix(
                    #""error":"Shutting down"}"# + "\n"))
            #expect(try get("/health", port: b.port).status == 200)
            gate.open()
            for client in clients {
                let reply = try #require(try client.response())
                #expect(reply.status == 200)
                #expect(reply["Connection"] == "close")
            }
            #expect(b.exitCode() == 0)
        }

        @Test func `What the shutdown timeout cuts off is counted in the log`() throws {
            let peer = try Peer { $0.waitForClose() }
            let b = try ServiceProcess(
                "service-b",
                [
                    "--service-a-url", "http://127.0.0.1:\(peer.port)", "--timeout", "1m",
                    "--shutdown-timeout", "200ms",
                ])
            let clients = try (0..<5).map { _ in try HTTPClient(port: b.port) }
            for client in clients { try client.request("/call-echo") }
            #expect(eventually { peer.connections.value == 5 })
            b.signal(SIGTERM)
            #expect(b.exitCode() == 0)
            #expect(
                b.lines.contains {
                    $0.hasSuffix(#" warning service-b "requests cut off" count=5"#)
                }
            )
            let requests = b.lines.filter { $0.contains(" error service-b request ") }
            #expect(requests.count == 5)
            #expect(requests.allSatisfy { $0.contains(" ending=cutOff ") })
        }

        @Test(arguments: 0..<3)
        func `Requests that are rejected while a service stops do not crash it`(_: Int) throws {
            let a = try ServiceProcess("service-a", ["--shutdown-timeout", "0s"])
            let clients = try (0..<900).map { _ in try HTTPClient(port: a.port) }
            a.signal(SIGTERM)
            // It may have closed some of them. Without the fix it crashed in two of three runs.
            for client in clients { try? client.send("GET / HTTP/2.0\r\n\r\n") }
            #expect(a.exitCode() == 0)
        }

        @Test func `A second signal ends a service at once`() throws {
            let peer = try Peer { $0.waitForClose() }
            let b = try ServiceProcess(
                "service-b",
                [
                    "--service-a-url", "http://127.0.0.1:\(peer.port)", "--timeout", "1m",
                    "--shutdown-timeout", "1m",
                ])
            let client = try HTTPClient(port: b.port)
            try client.request("/call-echo")
            #expect(eventually { peer.connections.value == 1 })
            b.signal(SIGTERM)
            #expect(eventually { b.lines.contains { $0.contains("shutting down") } })
            let start = ContinuousClock.now
            b.signal(SIGTERM)
            #expect(b.exitCode() == 128 + SIGTERM)
            #expect(ContinuousClock.now - start < .seconds(5))
        }

        /// A Service A that was frozen when it had begun to stop, and a client that it has answered.
        private func frozenInShutdown() throws -> (ServiceProcess, HTTPClient) {
            let a = try ServiceProcess("service-a")
            let client = try HTTPClient(port: a.port)
            try client.request("/echo?msg=1")
            #expect(try client.response()?.status == 200)
            a.signal(SIGTERM)
            #expect(eventually { a.lines.contains { $0.contains("shutting down") } })
            try a.freeze()
            return (a, client)
        }

        @Test func `A request that arrives while a service is frozen is answered`() throws {
            let a = try ServiceProcess(
                "service-a",
                ["idle", "header", "send"].flatMap { ["--\($0)-timeout", "300ms"] })
            let clients = try (0..<40).map { _ in try HTTPClient(port: a.port) }
            try a.freeze()
            for client in clients { try client.request("/echo?msg=1") }
            usleep(1_500_000)  // How long it is frozen, which is longer than all these.
            a.signal(SIGCONT)
            for client in clients { #expect(try client.response()?.status == 200) }
        }

        @Test func `A request that arrives while a stopping service is frozen is answered`() throws
        {
            let (a, client) = try frozenInShutdown()
            try client.request("/echo?msg=2")
            usleep(400_000)  // How long it is frozen, which is longer than it waits for quiet.
            a.signal(SIGCONT)
            #expect(try client.response()?.body == "{\"echo\":\"2\"}\n")
            #expect(a.exitCode() == 0)
        }

        @Test func `An answer of Service A at the shutdown timeout does not end the process badly`()
            throws
        {
            let gate = Gate()
            let peer = try lateServiceA(gate, answering: "hello")
            let b = try serviceB(
                calling: peer.port, ["--timeout", "10s", "--shutdown-timeout", "200ms"],
                environment: interposer.merging(["TEST_SLOW_RESUME": "1"]) { $1 })
            let client = try HTTPClient(port: b.port)
            try client.request("/call-echo")
            #expect(eventually { peer.connections.value == 1 })
            b.signal(SIGTERM)
            #expect(eventually { b.lines.contains { $0.contains("shutting down") } })
            // Resuming the connection takes 300 ms; the timeout passes meanwhile.
            gate.open()
            #expect(b.exitCode() == 0)
        }

        @Test func `A log that nobody reads is no reason to block`() throws {
            let service = try ServiceProcess("service-a")
            service.ignoreOutput()
            let target = "/echo?msg=\(String(repeating: "m", count: 64))"
            for _ in 0..<3000 { #expect(try get(target, port: service.port).status == 200) }
            service.signal(SIGTERM)
            service.closeOutput()
            service.readOutput()
            #expect(service.exitCode() == 0)
        }

        @Test func `No two processes give the same request id`() throws {
            let services = try (0..<2).map { _ in try ServiceProcess("service-a") }
            let ids = try services.map { try get("/health", port: $0.port)["X-Request-Id"] }
            #expect(ids[0] != ids[1])
        }

        @Test func `A request that arrives after a stopping service was frozen is answered`() throws
        {
            let (a, client) = try frozenInShutdown()
            usleep(400_000)  // How long it is frozen.
            a.signal(SIGCONT)
            usleep(60_000)  // How long the request takes to arrive.
            try client.request("/echo?msg=2")
            #expect(try client.response()?.body == "{\"echo\":\"2\"}\n")
            #expect(a.exitCode() == 0)
        }

        @Test func `A log that nobody reads any more is no reason to stop`() throws {
            let service = try ServiceProcess("service-a")
            service.closeOutput()
            #expect(
                try eventually {
                    _ = try get("/echo", port: service.port)
                    return service.isOutputClosed
                })
            for _ in 0..<3 { #expect(try get("/echo", port: service.port).status == 200) }
            service.signal(SIGTERM)
            #expect(service.exitCode() == 0)
        }
    }
}
