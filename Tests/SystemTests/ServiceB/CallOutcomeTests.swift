import CTestInterposer
import Foundation
import Synchronization
import TestSupport
import Testing

extension SystemTests {
    @Suite struct CallOutcomeTests {
        @Test func `Service B answers with what Service A answered`() throws {
            let a = try ServiceProcess("service-a")
            let b = try serviceB(calling: a.port)
            let reply = try get("/call-echo?msg=HelloDistributed", port: b.port)
            #expect(reply.status == 200)
            #expect(reply.body == success("HelloDistributed"))
            #expect(try get("/call-echo", port: b.port).body == success("hello"))
            #expect(try get("/call-echo?msg=", port: b.port).body == success(""))
        }

        @Test func `Any message comes back as it was sent`() throws {
            let a = try ServiceProcess("service-a")
            let b = try serviceB(calling: a.port)
            let every = String(decoding: 0..<128, as: UTF8.self) + "é\u{2028}😀e\u{301}"
            let reply = try get("/call-echo?msg=\(every.utf8.percentEscaped)", port: b.port)
            struct Answer: Decodable {
                let service_a_response: [String: String]
            }
            let answer = try JSONDecoder().decode(Answer.self, from: Data(reply.body.utf8))
            let echo = try #require(answer.service_a_response["echo"])
            #expect(echo.utf8.elementsEqual(every.utf8))
        }

        @Test(arguments: ["+", "=", "%2B", "!$'()*,;:@/?"])
        func `A message that fits in a request to Service B fits in its request to Service A`(
            character: String
        ) throws {
            let a = try ServiceProcess("service-a")
            let b = try serviceB(calling: a.port)
            let message = String(repeating: character, count: 8000 / character.utf8.count)
            let reply = try get("/call-echo?msg=\(message)", port: b.port)
            #expect(reply.status == 200, "\(reply.body)")
        }

        @Test func `The line of a failed call is an error with the reason and the time it took`()
            throws
        {
            // Port 1, where nobody listens.
            let b = try serviceB(calling: 1)
            _ = try get("/call-echo", port: b.port, fields: ["X-Request-Id: lost"])
            #expect(eventually { b.requests("lost").count == 1 })
            let line = try #require(b.requests("lost").first)
            let expected =
                /\S+ error service-b request calls_in_flight=\d+ endpoint=\/call-echo latency_ms=\d+\.\d{3} method=GET msg=hello reason=refused request_id=lost status=503 trace_id=[0-9a-f]{32} upstream_ms=\d+\.\d{3}/
            #expect(try expected.wholeMatch(in: line) != nil, "\(line)")
        }

        @Test
        func `Service B starts without Service A, and the first call after A is back succeeds`()
            throws
        {
            // An address of its own, on which no other test takes the port while A is away.
            let host = "127.0.0.2"
            let first = try ServiceProcess(
                "service-a", address: ["--host", host, "--port", "0"])
            first.signal(SIGKILL)
            _ = first.exitCode()
            let b = try serviceB(calling: first.port, host: host)
            for _ in 0..<3 {
                try expectFailure("refused", port: b.port)
                #expect(try get("/health", port: b.port).status == 200)
                let next = try ServiceProcess(
                    "service-a", address: ["--host", host, "--port", String(first.port)])
                #expect(try get("/call-echo?msg=back", port: b.port).body == success("back"))
                next.signal(SIGTERM)
                #expect(next.exitCode() == 0)
            }
            try expectFailure("refused", port: b.port)
        }

        @Test func `A frozen Service A is a timeout, and the first call after it thaws succeeds`()
            throws
        {
            let a = try ServiceProcess("service-a")
            let b = try serviceB(calling: a.port, ["--timeout", "300ms"])
            #expect(try get("/call-echo", port: b.port).status == 200)
            try a.freeze()
            try expectFailure("timeout", port: b.port)
            #expect(try get("/health", port: b.port).status == 200)
            a.signal(SIGCONT)
            #expect(try get("/call-echo?msg=thawed", port: b.port).body == success("thawed"))
        }

        /// Service B with ten idle connections to a peer that does `next` with one that is used
        /// again, and answers the first request on each.
        private func tenIdleConnections(
            _ arguments: [String] = [], next: @escaping @Sendable (PeerConnection) -> Void
        ) throws -> (peer: Peer, b: ServiceProcess) {
            let first = SharedCount()
            let peer = try Peer { peer in
                _ = peer.request()
                first.add()
                _ = eventually { first.value >= 10 }
                peer.respond("{\"echo\":\"Hello\"}")
                next(peer)
            }
            let b = try serviceB(calling: peer.port, arguments)
            let clients = try (0..<10).map { _ in try HTTPClient(port: b.port) }
            for client in clients { try client.request("/call-echo?msg=Hello") }
            for client in clients {
                #expect(try client.response()?.body == success("Hello"))
            }
            return (peer, b)
        }

        @Test(
            .enabled(if: hasFixes),
            arguments: [
                "Content-Length: x\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
                "X: \(String(repeating: "x", count: 400_000))\r\n\r\n",
            ])
        func `A bad answer after a connection that was reset is a bad answer`(answer: String) throws
        {
            let connections = SharedCount()
            let peer = try Peer { peer in
                _ = peer.request()
                guard connections.add() == 0 else {
                    _ = peer.send("HTTP/1.1 200 OK\r\n" + answer)
                    return
                }
                peer.respond("{\"echo\":\"Hello\"}")
                _ = peer.request()
                peer.reset()
            }
            let b = try serviceB(calling: peer.port)
            #expect(try get("/call-echo?msg=Hello", port: b.port).body == success("Hello"))
            try expectFailure("bad_answer", port: b.port)
            #expect(connections.value == 2)
        }

        @Test(.enabled(if: hasFixes))
        func `However many idle connections have died, the next call is made on a new one`() throws
        {
            // Ends each connection when it is used again. libcurl alone tries six, and gives up.
            let (peer, b) = try tenIdleConnections { _ = $0.request() }
            #expect(try get("/call-echo?msg=Hello", port: b.port).body == success("Hello"))
            #expect(peer.connections.value == 11)
        }

        @Test(.enabled(if: hasFixes))
        func `However many idle connections have died without a word, one call is lost`() throws {
            let (peer, b) = try tenIdleConnections(["--timeout", "500ms"]) { $0.waitForClose() }
            try expectFailure("timeout", port: b.port)
            #expect(try get("/call-echo?msg=Hello", port: b.port).body == success("Hello"))
            withExtendedLifetime(peer) {}
        }

        @Test func `A call that gets no answer closes no connection that another one uses`() throws
        {
            let both = SharedCount()
            let silent = SharedCount()
            let peer = try Peer { peer in
                while case let request = peer.request(), !request.isEmpty {
                    if request.contains("silent") {
                        silent.add()
                        return peer.waitForClose()
                    }
                    both.add()
                    _ = eventually { both.value >= 2 }
                    peer.respond("{\"echo\":\"Hello\"}")
                }
            }
            let b = try serviceB(calling: peer.port, ["--timeout", "500ms"])
            let clients = try (0..<2).map { _ in try HTTPClient(port: b.port) }
            for client in clients { try client.request("/call-echo?msg=Hello") }
            for client in clients { #expect(try client.response()?.status == 200) }
            try clients[0].request("/call-echo?msg=silent")
            // Or the next call might be over when this one begins, and its connection idle since before.
            #expect(eventually { silent.value == 1 })
            #expect(try get("/call-echo?msg=Hello", port: b.port).status == 200)
            #expect(try clients[0].response()?.reason == "timeout")
            #expect(try get("/call-echo?msg=Hello", port: b.port).status == 200)
            #expect(peer.connections.value == 2)
        }

        @Test(
            .enabled(if: hasFixes),
            arguments: [
                "Content-Length: 16\r\n\r\n{\"echo\":\"Hello\"}",
                "Transfer-Encoding: chunked\r\n\r\n10\r\n{\"echo\":\"Hello\"}\r\n0\r\n\r\n",
            ])
        func `A connection on which more comes than the answer is not used again`(rest: String)
            throws
        {
            let answer = "HTTP/1.1 200 OK\r\n\(rest)"
            let peer = try Peer { peer in
                if !peer.request().isEmpty { peer.send(answer) }
                while !peer.request().isEmpty { peer.send(answer + answer) }
            }
            let b = try serviceB(calling: peer.port)
            for n in [1, 1, 2, 2, 3, 3] {
                #expect(try get("/call-echo?msg=Hello", port: b.port).body == success("Hello"))
                #expect(peer.connections.value == n)
            }
        }

        @Test(.enabled(if: hasFixes))
        func `An idle connection on which something comes is closed at once`() throws {
            let closed = SharedCount()
            let peer = try Peer { peer in
                _ = peer.request()
                peer.respond("{\"echo\":\"Hello\"}")
                peer.waitUntilRead()
                peer.send("HTTP/1.1 200 OK\r\n")
                peer.waitForClose()
                closed.add()
            }
            let b = try serviceB(calling: peer.port)
            for n in 1...3 {
                #expect(try get("/call-echo?msg=Hello", port: b.port).body == success("Hello"))
                #expect(eventually(within: .seconds(1)) { closed.value == n })
            }
        }

        @Test func `A call that has ended keeps no connection to Service A`() throws {
            let closed = SharedCount()
            let peer = try Peer { peer in
                peer.waitForClose()
                closed.add()
            }
            let b = try serviceB(calling: peer.port, ["--timeout", "300ms"])
            for _ in 0..<3 { try expectFailure("timeout", port: b.port) }
            #expect(eventually(within: .seconds(1)) { closed.value == peer.connections.value })
            #expect(peer.connections.value == 3)
        }

        @Test func `An answer that is equal but not the same bytes is no echo`() throws {
            let peer = try Peer { peer in
                _ = peer.request()
                peer.respond("{\"echo\":\"e\u{301}\"}")
            }
            let b = try serviceB(calling: peer.port)
            let reply = try get("/call-echo?msg=%C3%A9", port: b.port)
            #expect(reply.reason == "bad_answer")
        }

        @Test func `The longest message that fits in a request to Service B is echoed`() throws {
            let a = try ServiceProcess("service-a")
            let b = try serviceB(calling: a.port)
            // The request target has 8,192 bytes, and the one for Service A has five less.
            let message = String(repeating: "x", count: 8192 - "/call-echo?msg=".utf8.count)
            let reply = try get("/call-echo?msg=\(message)", port: b.port)
            #expect(reply.status == 200, "\(reply.body)")
            #expect(try get("/call-echo?msg=\(message)x", port: b.port).status == 414)
        }

        @Test(arguments: [
            ("1ms", "0.001"), ("700ms", "0.7"), ("1.1s", "1.1"), ("2s", "2.0"),
        ])
        func `A timeout says how long the call had`(flag: String, seconds: String) throws {
            let peer = try Peer { $0.waitForClose() }
            let b = try serviceB(calling: peer.port, ["--timeout", flag])
            let text = "timeout: no complete answer within \(seconds) seconds"
            #expect(try get("/call-echo", port: b.port).body.contains("\"\(text)\""))
        }

        @Test func `Service B blames itself where it may open no file`() throws {
            let a = try ServiceProcess("service-a")
            let b = try serviceB(calling: a.port)
            let client = try HTTPClient(port: b.port)
            try client.request("/health")
            _ = try client.response()
            // Three are open.
            #expect(cti_limit_files(b.pid, 3))
            try client.request("/call-echo")
            let reply = try client.response()
            #expect(reply?.reason == "overloaded", "\(reply?.body ?? "")")
            #expect(cti_limit_files(b.pid, 1024))
            try client.request("/call-echo?msg=back")
            #expect(try client.response()?.body == success("back"))
        }

        @Test func `No redirect is followed and no proxy of the environment is used`() throws {
            let trap = try Peer { peer in
                _ = peer.request()
                peer.respond("{\"echo\":\"Hello\"}")
            }
            let peer = try Peer { peer in
                _ = peer.request()
                peer.respond(
                    "", status: "302 Found",
                    fields: ["Location: http://127.0.0.1:\(trap.port)/", "Set-Cookie: a=b"])
            }
            let proxy = "http://127.0.0.1:\(trap.port)"
            let names = ["http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"]
            let b = try serviceB(
                calling: peer.port,
                environment: Dictionary(uniqueKeysWithValues: names.map { ($0, proxy) }))
            for _ in 0..<3 { try expectFailure("bad_status", port: b.port) }
            #expect(peer.connections.value > 0)
            #expect(trap.connections.value == 0)
        }

        @Test func `Service A gets back no cookie, and is asked for no encoding`() throws {
            let seen = Mutex<[String]>([])
            let peer = try Peer { peer in
                while case let request = peer.request(), !request.isEmpty {
                    seen.withLock { $0.append(request.lowercased()) }
                    peer.respond("{\"echo\":\"Hello\"}", fields: ["Set-Cookie: a=b; Path=/"])
                }
            }
            let b = try serviceB(calling: peer.port)
            for _ in 0..<3 {
                #expect(try get("/call-echo?msg=Hello", port: b.port).body == success("Hello"))
            }
            let requests = seen.withLock { $0 }
            #expect(requests.count == 3)
            #expect(requests.allSatisfy { $0.hasPrefix("get /echo?msg=hello http/1.1\r\n") })
            #expect(requests.allSatisfy { $0.contains("\r\naccept-encoding: identity\r\n") })
            #expect(requests.allSatisfy { $0.contains("\r\naccept-language: *\r\n") })
            #expect(!requests.contains { $0.contains("cookie") })
        }
    }
}
