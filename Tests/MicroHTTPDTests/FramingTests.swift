import Foundation
import MicroHTTPD
import TestSupport
import Testing

/// Whether the tests run on one of the old, lenient versions of libmicrohttpd.
private let isBefore1 = Server.libraryVersion.hasPrefix("0.")

/// Routes that count: `/framed` is what is asked for, `/smuggled` what follows it.
private func router(_ framed: Counter, _ smuggled: Counter = Counter()) -> Router {
    var router = Router { refusal in
        Response(status: refusal.status, body: Array("refused: \(refusal.details)".utf8))
    }
    for (path, counter) in [("/framed", framed), ("/smuggled", smuggled)] {
        router.get(path) { _ in
            counter.add()
            return Response(body: Array(path.utf8))
        }
    }
    router.get("/waiting") { _ in
        await Task.yield()
        framed.add()
        return Response(body: Array("/waiting".utf8))
    }
    return router
}

/// The status lines in what a client has got.
private func statuses(_ text: String) -> [Int] {
    text.matches(of: #/HTTP/1\.[01] (\d{3}) /#).compactMap { Int($0.1) }
}

@Suite struct FramingTests {
    @Test(arguments: Framing.all)
    func `A request that breaks a rule is refused once, and nothing after it is a request`(
        _ framing: Framing
    ) async throws {
        let framed = Counter()
        let smuggled = Counter()
        try await serving(router(framed, smuggled)) { (port, _) throws in
            try withKnownIssue(isIntermittent: !isBefore1) {
                let client = try HTTPClient(port: port)
                try client.send(
                    framing.bytes + Array("GET /smuggled HTTP/1.1\r\nHost: test\r\n\r\n".utf8))
                if case .served = framing.outcome {
                    for path in ["/framed", "/smuggled"] {
                        #expect(try client.response()?.body == path)
                    }
                    #expect(framed.value == 1 && smuggled.value == 1)
                    return
                }
                let (text, isEnded) = try client.everything(within: patience(.seconds(5)))
                #expect(isEnded)
                switch framing.outcome {
                case .served: break
                case .refused(let status):
                    #expect(statuses(text) == [status])
                    #expect(text.contains("\r\nConnection: close\r\n"))
                    // Newer versions of libmicrohttpd see to some of it by themselves.
                    #expect(text.contains("\r\n\r\nrefused: ") || !isBefore1 && status == 400)
                case .refusedByLibrary(let status):
                    #expect(statuses(text) == [status])
                case .dropped:
                    #expect(["", "400"].contains(statuses(text).map(String.init).joined()))
                }
                #expect(framed.value == 0 && smuggled.value == 0)
            } when: {
                framing.issue == (isBefore1 ? .before1 : .since1)
            }
            #expect(try get("/framed", port: port).body == "/framed")
        }
    }

    /// A field section of `count` fields and `size` bytes.
    private func fields(_ count: Int, size: Int) -> String {
        let few = "Host: test\r\n" + String(repeating: "A: b\r\n", count: count - 2)
        return few + "X: \(String(repeating: "x", count: size - few.utf8.count - 5))\r\n"
    }

    @Test(arguments: [
        (target: 8192, fields: 64, size: 8192, status: 200), (8193, 2, 30, 414),
        (100, 65, 1000, 431), (100, 2, 8193, 431), (8192, 2, 8193, 431), (8193, 65, 8193, 414),
        // Far over the limit it is libmicrohttpd that refuses, in words of its own.
        (100, 1000, 7000, 431), (100, 2, 70_000, 431), (70_000, 2, 30, 414),
    ])
    func `A target or a header section over the limit is refused, and nothing under it`(
        target: Int, fields: Int, size: Int, status: Int
    ) async throws {
        try await serving(router(Counter())) { (port, _) throws in
            let client = try HTTPClient(port: port)
            let path = "/framed?".padding(toLength: target, withPad: "x", startingAt: 0)
            try client.send("GET \(path) HTTP/1.1\r\n\(self.fields(fields, size: size))\r\n")
            let reply = try #require(try client.response())
            #expect(reply.status == status)
            let isFar = target + size > 20_000 || fields == 1000
            #expect(isFar || reply.body.hasPrefix(status == 200 ? "/framed" : "refused: "))
            #expect(reply["Connection"] == (status == 200 ? nil : "close"))
            #expect(try status == 200 || client.everything(within: patience(.seconds(5))).isEnded)
        }
    }

    @Test func `Blanks are a part of the header section`() async throws {
        try await serving(router(Counter())) { (port, _) throws in
            for (size, status) in [(8176, 200), (8178, 431), (20_000, 431), (24_000, 431)] {
                let client = try HTTPClient(port: port)
                let blanks = String(repeating: " ", count: size - 2)
                try client.send("GET /framed HTTP/1.1\r\nHost: test\r\nX:\(blanks)y\r\n\r\n")
                #expect(try client.response()?.status == status)
            }
        }
    }

    @Test(.enabled(if: !isSanitized, "the clock says nothing then"))
    func `Characters that are hard to compare cost no more than others`() async throws {
        @Sendable func requests(_ text: String) -> [String] {
            let trace = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
            return [
                ("/\(text)", ""), ("http://test/\(text)", ""), ("/framed?\(text)=1", ""),
                ("/framed", "\(trace)\r\ntracestate: a=\(text)\r\n"),
            ].map { "GET \($0) HTTP/1.1\r\nHost: test\r\n\($1)\r\n" }
        }
        // Two marks that combine with what is before them, and have an order of their own.
        let marks = String(repeating: "\u{301}\u{323}", count: 2000)
        let letters = String(repeating: "x", count: marks.utf8.count)
        try await serving(router(Counter())) { (port, _) throws in
            let client = try HTTPClient(port: port)
            func time(_ request: String) throws -> Duration {
                let start = ContinuousClock.now
                for _ in 0..<20 {
                    try client.send(request)
                    #expect(try client.response() != nil)
                }
                return ContinuousClock.now - start
            }
            for (hard, plain) in zip(requests(marks), requests(letters)) {
                #expect(try time(hard) < time(plain) * 4 + .milliseconds(300))
            }
        }
    }

    /// Content in chunks of `size`, with its last one.
    private static func chunks(_ content: Int, size: Int) -> String {
        let chunk = String(size, radix: 16) + "\r\n" + String(repeating: "x", count: size) + "\r\n"
        let rest = content % size
        let last = String(rest, radix: 16) + "\r\n" + String(repeating: "x", count: rest) + "\r\n"
        return String(repeating: chunk, count: content / size) + (rest > 0 ? last : "")
            + "0\r\n\r\n"
    }

    /// Requests with `count` bytes of content, whole.
    private static func contents(_ count: Int) -> [String] {
        let head = "GET /framed HTTP/1.1\r\nHost: test\r\n"
        let content = String(repeating: "x", count: count)
        return ["\(head)Content-Length: \(count)\r\n\r\n\(content)"]
            + [7, 4096, 70_000].map {
                "\(head)Transfer-Encoding: chunked\r\n\r\n\(chunks(count, size: $0))"
            }
    }

    @Test(arguments: [(65_536, 200), (65_537, 413), (3_000_000, 413)])
    func `Content over the limit is refused, even to a client that sends it before it reads`(
        count: Int, status: Int
    ) async throws {
        let framed = Counter()
        try await serving(router(framed)) { (port, _) throws in
            for request in Self.contents(count) {
                let client = try HTTPClient(port: port)
                try client.send(request)
                let reply = try #require(try client.response())
                #expect(reply.status == status)
                #expect(reply["Connection"] == (status == 200 ? nil : "close"))
                #expect(
                    try status == 200 || client.everything(within: patience(.seconds(5))).isEnded)
            }
        }
        #expect(framed.value == (status == 200 ? 4 : 0))
    }

    @Test(arguments: ["Transfer-Encoding: chunked", "Content-Length: 4000000000"])
    func `A client that never stops sending content is stopped`(field: String) async throws {
        let framed = Counter()
        try await serving(router(framed)) { (port, _) throws in
            let client = try HTTPClient(port: port)
            try client.request("/framed", fields: [field])
            let chunk = Array(Self.chunks(65_536, size: 65_536).utf8.dropLast(5))
            var sent = 0
            while sent < 100_000_000, (try? client.send(chunk)) != nil { sent += chunk.count }
            #expect(sent < 64_000_000)
            let got = try statuses(client.everything(within: patience(.seconds(5))).text)
            #expect(got == [] || got == [413])
        }
        #expect(framed.value == 0)
    }

    @Test func `A client that expects 100 Continue gets it, and no client else`() async throws {
        try await serving(router(Counter())) { (port, _) throws in
            let client = try HTTPClient(port: port)
            try client.request("/framed", fields: ["Content-Length: 3", "Expect: 100-continue"])
            #expect(try client.response()?.status == 100)
            try client.send("abc")
            #expect(try client.response()?.body == "/framed")
            try client.request("/framed", fields: ["Content-Length: 3", "Expect: something else"])
            try client.send("abc")
            #expect(try client.response()?.body == "/framed")
        }
    }

    @Test(arguments: [("Content-Length: 65537", 413), ("Content-Length: 3\r\nHost: other", 400)])
    func `A client that expects 100 Continue is refused before it has sent anything`(
        field: String, status: Int
    ) async throws {
        try await serving(router(Counter())) { (port, _) throws in
            let client = try HTTPClient(port: port)
            try client.request("/framed", fields: ["Expect: 100-continue", field])
            #expect(try statuses(client.everything(within: patience(.seconds(5))).text) == [status])
        }
    }

    @Test(arguments: [
        "", "Content-Length: 5\r\n\r\nGET /",
        "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX: y\r\n\r\n",
    ])
    func `A request is the same wherever it is split`(content: String) async throws {
        let framed = Counter()
        try await serving(router(framed)) { (port, _) throws in
            let client = try HTTPClient(port: port)
            let other = try HTTPClient(port: port)
            let end = content.isEmpty ? "\r\n" : content
            for path in ["/framed", "/waiting"] {
                let bytes = Array("GET \(path)?x HTTP/1.1\r\nHost: test\r\n\(end)".utf8)
                for index in 1..<bytes.count {
                    try client.send(Array(bytes[..<index]))
                    // The server's only thread has read that when it answers to this.
                    try other.request("/smuggled")
                    #expect(try other.response()?.body == "/smuggled")
                    try client.send(Array(bytes[index...]))
                    #expect(try client.response()?.body == path)
                }
            }
        }
    }

    @Test func `A client that ends its side after the request is answered`() async throws {
        let gate = Gate()
        var router = plainRouter()
        router.get("/now") { _ in Response(body: Array("now".utf8)) }
        router.get("/gate") { _ in
            await gate.pass()
            return Response(body: Array("passed".utf8))
        }
        // Of an end that arrives with the request libmicrohttpd takes no notice; it is an idle one.
        try await serving(router, configure: { $0.idleTimeout = .milliseconds(200) }) {
            (port, _) throws in
            for (path, body) in [("/now", "now"), ("/gate", "passed")] {
                let client = try HTTPClient(port: port)
                try client.request(path)
                #expect(eventually { path == "/now" || gate.arrivals == 1 })
                try client.endSending()
                if path == "/gate" { gate.open() }
                #expect(try client.response()?.body == body)
                #expect(try client.isClosed())
            }
        }
    }
}
