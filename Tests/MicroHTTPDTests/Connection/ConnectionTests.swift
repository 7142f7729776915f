import HTTPTypes
import MicroHTTPD
import Synchronization
import TestSupport
import Testing

@Suite struct ConnectionTests {
    @Test(arguments: ["/now", "/yield"])
    func `A connection is good for a thousand requests`(path: String) async throws {
        try await serving(testRouter()) { (port, _) throws in
            let client = try HTTPClient(port: port)
            for n in 0..<1000 {
                try client.request("\(path)?n=\(n)")
                let reply = try #require(try client.response())
                #expect(reply.body == "\(n)")
                #expect(reply["Connection"] == nil)
            }
        }
    }

    @Test(arguments: [127, 128, 129, 256])
    func `However many clients ask at once, all are answered`(count: Int) async throws {
        let gate = Gate()
        var router = testRouter()
        router.get("/block") { _ in
            // On libmicrohttpd's thread, so that all others come together.
            _ = eventually { gate.isOpen }
            return Response()
        }
        // Most have connected long before they ask.
        try await serving(
            router,
            configure: { configuration in
                configuration.headerTimeout = .seconds(60)
                configuration.idleTimeout = .seconds(60)
            }
        ) {
            (port, _) throws in
            let clients = try (0..<count).map { _ in
                try HTTPClient(port: port, timeout: patience(.seconds(5)))
            }
            for client in clients {
                try client.request("/now")
                #expect(try client.response()?.status == 200)
            }
            let blocker = try HTTPClient(port: port)
            try blocker.request("/block")
            for client in clients { try client.request("/now") }
            gate.open()
            for client in clients { #expect(try client.response()?.status == 200) }
        }
    }

    @Test func `Pipelined requests are answered in order, whatever content they have`() async throws
    {
        try await serving(testRouter()) { (port, _) throws in
            let client = try HTTPClient(port: port)
            let content = "GET /now?n=0 HTTP/1.1\r\nHost: test\r\n\r\n"
            let ends = [
                "\r\n", "Content-Length: \(content.utf8.count)\r\n\r\n\(content)",
                "Content-Length: 0\r\n\r\n", "Expect: 100-continue\r\n\r\n",
            ]
            let requests = (0..<60).map { n in
                let path = ["/now", "/yield", "/wait"][n % 3]
                return "GET \(path)?n=\(n) HTTP/1.1\r\nHost: test\r\n" + ends[n % 4]
            }
            try client.send(requests.joined())
            for n in 0..<60 {
                var reply = try client.response()
                if reply?.status == 100 { reply = try client.response() }
                #expect(reply?.body == "\(n)")
            }
        }
    }

    @Test func `An HTTP 1.0 client is served, and its connection closed`() async throws {
        try await serving(testRouter()) { (port, _) throws in
            let client = try HTTPClient(port: port)
            try client.send("GET /now?n=1 HTTP/1.0\r\n\r\n")
            #expect(try client.response()?.body == "1")
            #expect(try client.isClosed())
        }
    }

    @Test func `An HTTP 1.0 client may keep its connection`() async throws {
        try await serving(testRouter()) { (port, _) throws in
            let client = try HTTPClient(port: port)
            for n in 0..<2 {
                try client.send("GET /now?n=\(n) HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
                #expect(try client.response()?.body == "\(n)")
            }
        }
    }

    @Test func `A request in single bytes is a request`() async throws {
        try await serving(testRouter()) { (port, _) throws in
            let client = try HTTPClient(port: port)
            for character in "GET /yield?n=1 HTTP/1.1\r\nHost: test\r\n\r\n" {
                try client.send(String(character))
            }
            #expect(try client.response()?.body == "1")
        }
    }

    @Test(arguments: ["/now", "/wait"])
    func `The content of a request is read and ignored`(path: String) async throws {
        try await serving(testRouter()) { (port, _) throws in
            let client = try HTTPClient(port: port)
            let content = String(repeating: "GET / HTTP/1.1\r\n\r\n", count: 1000)
            for n in 0..<3 {
                let length = "Content-Length: \(content.utf8.count)"
                try client.request("\(path)?n=\(n)", fields: [length])
                try client.send(content)
                #expect(try client.response()?.body == "\(n)")
            }
        }
    }

    @Test func `Five hundred handlers that wait keep no other from answering`() async throws {
        let gate = Gate()
        try await serving(testRouter(gate)) { (port, _) throws in
            let clients = try (0..<500).map { _ in try HTTPClient(port: port) }
            for client in clients { try client.request("/gate") }
            #expect(eventually { gate.arrivals == 500 })
            #expect(try get("/yield?n=1", port: port).body == "1")
            gate.open()
            for client in clients { #expect(try client.response()?.body == "gate") }
        }
    }

    @Test(arguments: ["No-Host: test", "Host: test\r\nContent-Length: x"])
    func `A rejection that does not fit in the socket's buffer is noted as not answered`(
        fields: String
    ) async throws {
        let records = Mutex<[AccessRecord]>([])
        let router = Router { error in
            Response(status: error.status, body: Array(repeating: 0x61, count: 16 * 1024 * 1024))
        }
        try await serving(router, log: { record in records.withLock { $0.append(record) } }) {
            (port, _) throws in
            let client = try HTTPClient(port: port)
            try client.send("GET /now HTTP/1.1\r\n\(fields)\r\n\r\n")
            #expect(eventually { records.withLock { $0.count } == 1 })
            #expect(records.withLock { $0.first?.ending } == .clientLeft)
        }
    }

    @Test func `A client that goes away while its handler waits is noted as not answered`()
        async throws
    {
        let gate = Gate()
        let records = Mutex<[AccessRecord]>([])
        try await serving(
            testRouter(gate), log: { record in records.withLock { $0.append(record) } }
        ) {
            (port, _) throws in
            do {
                let client = try HTTPClient(port: port)
                try client.request("/much-later")
                #expect(eventually { gate.arrivals == 1 })
            }
            gate.open()
            #expect(eventually { records.withLock { $0.count } == 1 })
            #expect(records.withLock { $0.first?.ending } == .clientLeft)
            #expect(try get("/now?n=1", port: port).body == "1")
        }
    }

    @Test func `Every exchange is recorded once, with its route, status and time`() async throws {
        let records = Mutex<[AccessRecord]>([])
        try await serving(testRouter(), log: { record in records.withLock { $0.append(record) } }) {
            (port, _) throws in
            for target in ["/now", "/wait", "/nope", "/now?%"] { _ = try get(target, port: port) }
            #expect(eventually { records.withLock { $0.count } == 4 })
        }
        let seen = records.withLock { $0 }
        #expect(seen.map(\.route) == ["/now", "/wait", nil, "/now"])
        #expect(seen.map(\.response?.status.code) == [200, 200, 404, 400])
        #expect(seen.allSatisfy { $0.ending == .answered })
        #expect(seen[1].duration >= .milliseconds(20))
    }

    @Test(arguments: [
        ("GET /now HTTP/3.0\r\nHost: test\r\n\r\n", 400), ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        ("GET /now \r\nHost: test\r\n\r\n", 400),
        ("GET /\(String(repeating: "x", count: 30_000)) HTTP/1.1\r\nHost: test\r\n\r\n", 414),
        ("GET /now HTTP/1.1\r\nX: \(String(repeating: "x", count: 40_000))\r\n\r\n", 431),
        ("GET /now HTTP/1.1\r\nHost: test\r\nContent-Length: x\r\n\r\n", 400),
        ("GET /now HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400),
    ])
    func `A request that libmicrohttpd rejects is recorded once, with the id of its answer`(
        text: String, status: Int
    ) async throws {
        let records = Mutex<[AccessRecord]>([])
        try await serving(testRouter(), log: { record in records.withLock { $0.append(record) } }) {
            (port, _) throws in
            let client = try HTTPClient(port: port)
            try client.send(text)
            let reply = try #require(try client.response())
            #expect(reply.status == status)
            #expect(try client.isClosed())
            #expect(try get("/now", port: port).status == 200)
            #expect(reply["X-Request-Id"] == records.withLock { $0.first?.request.id })
        }
        #expect(records.withLock { $0.map(\.code) } == [status, 200])
    }

    @Test func `A rejection loses no earlier answer to a client that reads late`() async throws {
        try await serving(testRouter()) { (port, _) throws in
            let client = try HTTPClient(port: port)
            try client.request("/much")
            try client.request("/now", fields: ["Host: again"])
            for _ in 0..<2000 { try client.request("/now") }
            #expect(try client.response()?.body == much)
            // The kernel may have had no room for the rejection.
            #expect(try [nil, 400].contains(client.response()?.status))
        }
    }

    @Test(arguments: [
        "GET /now HTTP/1.1\r\nHost: test\r\n",
        "GET /now HTTP/1.1\r\nHost: test\r\nX: " + String(repeating: "x", count: 40_000),
        "GET /now HTTP/1.1\r\nHost: test\r\nContent-Length: x\r\n\r\n",
    ])
    func `A request that ends before its header section does harms no other`(text: String)
        async throws
    {
        try await serving(testRouter()) { (port, _) throws in
            for _ in 0..<3 {
                try? HTTPClient(port: port).send(text)
                #expect(try get("/now?n=1", port: port).body == "1")
            }
        }
    }
}
