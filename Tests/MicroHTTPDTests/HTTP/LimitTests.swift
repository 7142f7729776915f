import Foundation
import MicroHTTPD
import TestSupport
import Testing

@Suite struct LimitTests {
    /// A field section of `count` fields and `size` bytes.
    private func fields(_ count: Int, size: Int) -> String {
        let few = "Host: test\r\n" + String(repeating: "A: b\r\n", count: count - 2)
        return few + "X: \(String(repeating: "x", count: size - few.utf8.count - 5))\r\n"
    }

    @Test(arguments: [
        (target: 8192, fields: 64, size: 8192, status: 200), (8193, 2, 30, 414),
        (100, 65, 1000, 431), (100, 2, 8193, 431), (8192, 2, 8193, 431), (8193, 65, 8193, 414),
        // Far over the limit it is libmicrohttpd that refuses.
        (100, 1000, 7000, 431), (100, 2, 70_000, 431), (70_000, 2, 30, 414),
    ])
    func `A target or a header section over the limit is refused, and nothing under it`(
        target: Int, fields: Int, size: Int, status: Int
    ) async throws {
        try await serving(framedRouter()) { (port, _) throws in
            let client = try HTTPClient(port: port)
            let path = "/framed?".padding(toLength: target, withPad: "x", startingAt: 0)
            try client.send("GET \(path) HTTP/1.1\r\n\(self.fields(fields, size: size))\r\n")
            let reply = try #require(try client.response())
            #expect(reply.status == status)
            #expect(reply.body.hasPrefix(status == 200 ? "/framed" : "refused: "))
            #expect(reply["Connection"] == (status == 200 ? nil : "close"))
            #expect(try status == 200 || client.everything(within: patience(.seconds(5))).isEnded)
        }
    }

    @Test func `Blanks are a part of the header section`() async throws {
        try await serving(framedRouter()) { (port, _) throws in
            for (size, status) in [(8176, 200), (8178, 431), (20_000, 431), (24_000, 431)] {
                let client = try HTTPClient(port: port)
                let blanks = String(repeating: " ", count: size - 2)
                try client.send("GET /framed HTTP/1.1\r\nHost: test\r\nX:\(blanks)y\r\n\r\n")
                #expect(try client.response()?.status == status)
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
        let framed = SharedCount()
        try await serving(framedRouter(framed)) { (port, _) throws in
            for request in Self.contents(count) {
                let client = try HTTPClient(port: port)
                try client.send(request)
                let reply = try #require(try client.response())
                #expect(reply.status == status)
                let isLast = status != 200 || request.contains("chunked")
                #expect(reply["Connection"] == (isLast ? "close" : nil))
                #expect(try !isLast || client.everything(within: patience(.seconds(5))).isEnded)
            }
        }
        #expect(framed.value == (status == 200 ? 4 : 0))
    }

    @Test(arguments: ["Transfer-Encoding: chunked", "Content-Length: 4000000000"])
    func `A client that never stops sending content is stopped`(field: String) async throws {
        let framed = SharedCount()
        try await serving(framedRouter(framed)) { (port, _) throws in
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

    @Test(arguments: [1, 50, 350, 1900], ["a=b;", ";", "a,", "a=\""])
    func `A cookie is a field like any other`(count: Int, cookie: String) async throws {
        try await serving(framedRouter()) { (port, _) throws in
            let client = try HTTPClient(port: port)
            let cookies = String(repeating: cookie, count: count)
            try client.request("/framed", fields: ["Cookie: \(cookies)"])
            #expect(try client.response()?.status == 200)
        }
    }

    @Test func `A head with a long method, or empty lines before it, is answered or refused`()
        async throws
    {
        try await serving(framedRouter()) { (port, _) throws in
            for size in Array(stride(from: 1000, through: 24_000, by: 331)) {
                let long = String(repeating: "x", count: 8000)
                let heads = [
                    "\(String(repeating: "G", count: size)) /framed HTTP/1.1\r\n",
                    // 1.0 ignores one.
                    String(repeating: "\r\n", count: isBefore1 ? size / 2 : 1)
                        + "GET /framed?\(long.dropLast(size / 3)) HTTP/1.1\r\n",
                ]
                for head in heads {
                    let client = try HTTPClient(port: port)
                    try client.send(
                        "\(head)Host: test\r\nConnection: close\r\nX: \(long)\r\n\r\n")
                    let (text, isEnded) = try client.everything(within: patience(.seconds(5)))
                    #expect(isEnded && statuses(text).count == 1, "\(head.prefix(4)) \(size)")
                }
            }
        }
    }

    @Test func `Of whatever size a head is that is too large, it is refused once`() async throws {
        try await serving(framedRouter()) { (port, _) throws in
            // Around what libmicrohttpd has memory for, in one long field and in many short ones.
            for size in Array(stride(from: 8300, through: 24_000, by: 991)) + Array(24_200..<24_600)
            {
                for field in ["X: \(String(repeating: "x", count: size))", ""] {
                    let client = try HTTPClient(port: port)
                    let count = (size - 40) / 23
                    let short = String(repeating: "Field: 0123456789abcd\r\n", count: count)
                    let rest = String(repeating: "x", count: size - 40 - count * 23)
                    let fields = field.isEmpty ? "\(short)X: \(rest)" : field
                    try client.send("GET /framed HTTP/1.1\r\nHost: test\r\n\(fields)\r\n\r\n")
                    let (text, isEnded) = try client.everything(within: patience(.seconds(5)))
                    #expect(isEnded && statuses(text) == [431], "\(size) bytes")
                    #expect(text.contains(#/\r\n\r\nrefused: [A-Z]/#), "\(size) bytes")
                }
            }
        }
    }
}
