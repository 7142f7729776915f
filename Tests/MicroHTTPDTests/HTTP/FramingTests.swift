import Glibc
import HTTPTypes
import MicroHTTPD
import Synchronization
import TestSupport
import Testing

/// Whether the tests run on one of the old, lenient versions of libmicrohttpd.
let isBefore1 = Server.libraryVersion.hasPrefix("0.")

/// How long the thread that asks has had a processor, whatever else the machine does.
private func processorTime() -> Duration {
    var time = timespec()
    unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
}

@Suite struct FramingTests {
    @Test(arguments: FramingCase.all)
    func `A request that breaks a rule is refused once, and nothing after it is a request`(
        _ framing: FramingCase
    ) async throws {
        let framed = SharedCount()
        let smuggled = SharedCount()
        try await serving(framedRouter(framed, smuggled)) { (port, _) throws in
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
                case .servedLast:
                    #expect(statuses(text) == [200])
                    #expect(text.contains("\r\nConnection: close\r\n"))
                case .refused(let status):
                    #expect(statuses(text) == [status])
                    #expect(text.contains("\r\nConnection: close\r\n"))
                    // How newer versions of libmicrohttpd are linked is not known.
                    #expect(text.contains(#/\r\n\r\nrefused: [A-Z]/#) || !isBefore1)
                case .dropped: #expect([[], [400]].contains(statuses(text)))
                case .ended: #expect([[200], [400]].contains(statuses(text)))
                }
                #expect(framed.value == statuses(text).count { $0 == 200 } && smuggled.value == 0)
            } when: {
                framing.issue == (isBefore1 ? .before1 : .since1)
            }
            #expect(try get("/framed", port: port).body == "/framed")
        }
    }

    @Test(.enabled(if: !isSanitized, "the clock says nothing then"))
    func `Characters that are hard to compare cost no more than others`() async throws {
        @Sendable func requests(_ text: String) -> [String] {
            let trace = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
            return [
                ("/\(text)", ""), ("http://test/\(text)", ""), ("/now?\(text)=1", ""),
                ("/now", "\(trace)\r\ntracestate: a=\(text)\r\n"),
            ].map { "GET \($0) HTTP/1.1\r\nHost: test\r\n\($1)\r\n" }
        }
        // Two marks that combine with what is before them, and have an order of their own.
        let marks = String(repeating: "\u{301}\u{323}", count: 2000)
        let letters = String(repeating: "x", count: marks.utf8.count)
        let ends = Mutex<[Duration]>([])
        try await serving(
            testRouter(), log: { _ in ends.withLock { $0.append(processorTime()) } }
        ) { (port, _) throws in
            let client = try HTTPClient(port: port)
            func time(_ request: String) throws -> Duration {
                ends.withLock { $0 = [] }
                for _ in 0...20 {
                    try client.send(request)
                    #expect(try client.response() != nil)
                }
                try #require(eventually { ends.withLock { $0.count == 21 } })
                return ends.withLock { $0[20] - $0[0] }
            }
            for (hard, plain) in zip(requests(marks), requests(letters)) {
                #expect(try time(hard) < time(plain) * 2)
            }
        }
    }

    @Test func `A client that expects 100 Continue gets it, and no client else`() async throws {
        try await serving(framedRouter()) { (port, _) throws in
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
        try await serving(framedRouter()) { (port, _) throws in
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
        let framed = SharedCount()
        try await serving(framedRouter(framed)) { (port, _) throws in
            var client = try HTTPClient(port: port)
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
                    if content.contains("chunked") { client = try HTTPClient(port: port) }
                }
            }
        }
    }

    @Test(arguments: [("", ""), ("Content-Length: 0\r\n", "POST")], [false, true])
    func `A request without content that expects 100 Continue is answered, whatever is behind it`(
        request: (fields: String, method: String), waits: Bool
    ) async throws {
        let records = Mutex<[AccessRecord]>([])
        let path = waits ? "/waiting" : "/framed"
        let method = request.method.isEmpty ? "GET" : request.method
        let line = "\(method) \(path) HTTP/1.1\r\nHost: test\r\n\(request.fields)"
        let next = "GET /smuggled HTTP/1.1\r\nHost: test\r\n\r\n"
        try await serving(
            framedRouter(), log: { record in records.withLock { $0.append(record) } }
        ) {
            (port, _) throws in
            for rest in ["", "\r\n", next, "\r\n" + next] {
                let client = try HTTPClient(port: port)
                try client.send("\(line)Expect: 100-continue\r\n\r\n\(rest)")
                if !rest.hasSuffix(next) { try client.send(next) }
                var replies: [HTTPReply] = []
                while replies.count < 2, let reply = try client.response() {
                    if reply.status != 100 { replies.append(reply) }
                }
                #expect(replies.map(\.status) == [method == "GET" ? 200 : 405, 200])
                #expect(replies.last?.body == "/smuggled")
            }
        }
        #expect(records.withLock { $0.count { $0.ending == .answered } } == 8)
    }
}
