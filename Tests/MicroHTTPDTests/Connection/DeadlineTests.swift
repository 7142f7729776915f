import MicroHTTPD
import Synchronization
import TestSupport
import Testing

/// The deadline that a test is about.
private let deadline = Duration.milliseconds(400)

/// How long a connection may be idle, where that is what a test is about.
private let idle = Duration.seconds(1)

/// One way of a client to take its time.
private struct Slowness: Sendable, CustomTestStringConvertible {
    let testDescription: String

    /// Whether it is the deadline of the content that ends it, and not that of the header section.
    let isContent: Bool

    /// What the client sends first.
    let first: String

    /// What it sends then, over and over.
    let drip: String

    static let all = [
        Self("sends nothing", "", ""),
        Self("drips its first line", "GET /", "x"),
        Self("drips empty lines", "", "\r\n"),
        Self("drips a field", "GET /now HTTP/1.1\r\nHost: test\r\nX: ", "x"),
        Self("drips fields", "GET /now HTTP/1.1\r\nHost: test\r\n", "X: y\r\n"),
        Self("begins with TLS", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}", ""),
        Self("sends no content", isContent: true, content("Content-Length: 10000"), ""),
        Self("drips content", isContent: true, content("Content-Length: 10000"), "x"),
        Self("drips chunks", isContent: true, content("Transfer-Encoding: chunked"), "1\r\nx\r\n"),
        Self(
            "drips a chunk", isContent: true, content("Transfer-Encoding: chunked") + "999\r\n",
            "x"),
        Self(
            "expects 100 Continue and sends nothing", isContent: true,
            content("Content-Length: 3\r\nExpect: 100-continue"), ""),
    ]

    private init(
        _ description: String, isContent: Bool = false, _ first: String, _ drip: String
    ) {
        testDescription = description
        self.isContent = isContent
        self.first = first
        self.drip = drip
    }

    private static func content(_ field: String) -> String {
        "GET /now HTTP/1.1\r\nHost: test\r\n\(field)\r\n\r\n"
    }
}

/// Makes every deadline the one that a test is about.
private func setEveryDeadline(_ configuration: inout Server.Configuration) {
    configuration.idleTimeout = deadline
    configuration.headerTimeout = deadline
    configuration.contentTimeout = deadline
    configuration.sendTimeout = deadline
}

/// Sends `drip` over and over until the server ends the connection, and normal requests meanwhile.
private func expectEnd(
    of client: HTTPClient, dripping drip: String, port: UInt16, after limit: Duration = deadline
) throws {
    let start = ContinuousClock.now
    while try ContinuousClock.now - start < patience(.seconds(6))
        && !client.everything(within: .milliseconds(20)).isEnded
    {
        try? client.send(drip)
        let asked = ContinuousClock.now
        #expect(try get("/now", port: port).body == "now")
        // 50 ms are promised; the rest is for a machine that does other things as well.
        #expect(ContinuousClock.now - asked < patience(.seconds(1)))
    }
    let time = ContinuousClock.now - start
    // The first bytes are on their way before the clock of the test starts.
    // libmicrohttpd 1.0 does not even wait for what cannot become a request.
    let isExact = !isSanitized && Server.libraryVersion.hasPrefix("0.")
    #expect(!isExact || time > limit - .milliseconds(100))
    #expect(time < limit + patience(.seconds(4)))
}

@Suite struct DeadlineTests {
    @Test(arguments: Slowness.all)
    private func `A client that takes its time is closed at the deadline, and disturbs no other`(
        _ slowness: Slowness
    ) async throws {
        try await serving(
            testRouter(),
            configure: { configuration in
                configuration.headerTimeout = slowness.isContent ? .seconds(20) : deadline
                configuration.contentTimeout = slowness.isContent ? deadline : .seconds(20)
            }
        ) { (port, _) throws in
            let client = try HTTPClient(port: port)
            try client.send(slowness.first)
            if slowness.first.contains("100-continue") {
                #expect(try client.response()?.status == 100)
            }
            try expectEnd(of: client, dripping: slowness.drip, port: port)
        }
    }

    @Test(arguments: ["", "G"])
    func `A connection on which nothing more or no whole request comes is closed as idle`(
        drip: String
    ) async throws {
        try await serving(
            testRouter(),
            configure: {
                $0.idleTimeout = idle
                if !drip.isEmpty { $0.headerTimeout = deadline }
            }
        ) { (port, _) throws in
            let client = try HTTPClient(port: port)
            try client.request("/now")
            #expect(try client.response()?.body == "now")
            try expectEnd(of: client, dripping: drip, port: port, after: idle)
        }
    }

    @Test(arguments: [false, true])
    func `A client that does not take its answer, or slowly, is closed at the deadline`(
        takesSome: Bool
    ) async throws {
        let records = Mutex<[AccessRecord]>([])
        try await serving(
            testRouter(), configure: { $0.sendTimeout = deadline },
            log: { record in records.withLock { $0.append(record) } }
        ) { (port, _) throws in
            let client = try HTTPClient(port: port)
            try client.takeLittle()
            try client.request("/much")
            #expect(
                eventually(within: .seconds(5)) {
                    if takesSome { try? client.takeSome() }
                    return records.withLock { !$0.isEmpty }
                })
            let record = try #require(records.withLock { $0.first })
            #expect(record.ending == .clientLeft)
            #expect(
                record.duration >= deadline && record.duration < deadline + patience(.seconds(4)))
        }
    }

    @Test func `A handler may take longer than every deadline`() async throws {
        let gate = Gate()
        try await serving(
            testRouter(gate),
            configure: setEveryDeadline
        ) { (port, _) throws in
            let client = try HTTPClient(port: port)
            try client.request("/gate", fields: ["Content-Length: 3"])
            try client.send("abc")
            #expect(eventually { gate.arrivals == 1 })
            // Three deadlines, and each of the others, have passed when these are closed.
            for _ in 0..<3 { #expect(try HTTPClient(port: port).isClosed()) }
            gate.open()
            #expect(try client.response()?.body == "gate")
        }
    }

    @Test func `A connection that is used is kept for longer than every deadline`() async throws {
        try await serving(
            testRouter(),
            configure: setEveryDeadline
        ) { (port, _) throws in
            let client = try HTTPClient(port: port)
            let start = ContinuousClock.now
            while ContinuousClock.now - start < deadline * 4 {
                try client.request("/now", fields: ["Content-Length: 3"])
                try client.send("abc")
                #expect(try client.response()?.body == "now")
                // The pace of the requests.
                #expect(
                    try !HTTPClient(port: port).everything(within: .milliseconds(50)).isEnded)
            }
        }
    }
}
