import MicroHTTPD
import TestSupport
import Testing

/// What a client sends before it ends its side.
private struct Ending: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let text: String
    let bodies: [String]

    private static func request(_ path: String, _ fields: String = "") -> String {
        "GET \(path) HTTP/1.1\r\nHost: test\r\n\(fields)\r\n"
    }

    private init(_ description: String, _ text: String, _ bodies: [String] = []) {
        testDescription = description
        self.text = text
        self.bodies = bodies
    }

    static let all = [
        Self("a request", request("/now"), ["now"]),
        Self("a request whose handler waits", request("/gate"), ["gate"]),
        Self("two requests", request("/now") + request("/now"), ["now", "now"]),
        Self(
            "three requests whose handlers wait",
            request("/gate") + request("/yield") + request("/gate"), ["gate", "yield", "gate"]),
        Self(
            "a request with much content",
            request("/now", "Content-Length: 60000\r\n") + String(repeating: "x", count: 60_000),
            ["now"]),
        Self("a request for much", request("/much"), [much]),
        Self("a request for much whose handler waits", request("/much-later"), [much]),
        Self("a request and a half", request("/now") + "GET /n", ["now"]),
        Self("nothing", ""),
        Self("half a first line", "GET /n"),
        Self("half a header section", "GET /now HTTP/1.1\r\nHost: test\r\nX"),
        Self("half a content", request("/now", "Content-Length: 10\r\n") + "abc"),
        Self("half a chunk", request("/now", "Transfer-Encoding: chunked\r\n") + "5\r\nabc"),
        Self("half a trailer", request("/now", "Transfer-Encoding: chunked\r\n") + "0\r\nA: b\r\n"),
    ]
}

@Suite struct HalfCloseTests {
    @Test(arguments: Ending.all, [false, true])
    private func `A client that ends its side is answered, and closed long before any deadline`(
        ending: Ending, atOnce: Bool
    ) async throws {
        let gate = Gate()
        let block = Gate()
        var router = testRouter(gate)
        router.get("/block") { _ in
            // On libmicrohttpd's thread, which then sees all that has come meanwhile as one.
            _ = eventually { block.isOpen }
            return Response()
        }
        // All deadlines are far longer than this takes.
        try await serving(router) { (port, _) throws in
            let client = try HTTPClient(port: port, timeout: patience(.seconds(5)))
            let blocker = try HTTPClient(port: port)
            if atOnce {
                // Has been accepted when the later one is served.
                try blocker.request("/now")
                #expect(try blocker.response() != nil)
                try blocker.request("/block")
            }
            try client.send(ending.text)
            if !atOnce { _ = try get("/now", port: port) }
            try client.endSending()
            block.open()
            let waits = ending.text.contains("/gate") || ending.text.contains("/much-later")
            if waits { #expect(eventually { gate.arrivals > 0 }) }
            gate.open()
            for body in ending.bodies { #expect(try client.response()?.body == body) }
            #expect(try client.isClosed())
        }
    }
}
