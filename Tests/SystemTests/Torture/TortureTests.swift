import Foundation
import MicroHTTPD
import TestSupport
import Testing

@testable import ServiceKit

/// Sends a stream in one of the ways that clients have.
///
/// - Returns: the status codes that came; none where the client did not wait for them.
private func send(_ stream: RequestStream, port: UInt16) throws -> [Int] {
    var random = stream.random
    let way = Int.random(in: 0..<16, using: &random)
    let client = try HTTPClient(port: port)
    do {
        let cut = way < 4 ? Int.random(in: 0...stream.bytes.count, using: &random) : 0
        try client.send(Array(stream.bytes[..<cut]))
        try client.send(Array(stream.bytes[cut...]))
        try client.request("/health", fields: ["Connection: close"])
        if way == 15 { try client.reset() }
        if way >= 14 { return [] }
    } catch {
        // The server has refused a request and does not wait for the rest.
    }
    var (text, isEnded) = try client.everything(within: .milliseconds(30))
    if !isEnded {
        // What is missing does not come. libmicrohttpd overlooks an end that comes with a request.
        try client.endSending()
        let (rest, isNowEnded) = try client.everything(within: .seconds(15))
        if !isNowEnded { throw SocketError("The connection does not end") }
        text += rest
    }
    return statuses(text)
}

/// How much of it there is to be: 1 is all, less is for builds that are slow.
let scale = ProcessInfo.processInfo.environment["TORTURE"].flatMap { Double($0) }

extension SystemTests {
    @Suite(.enabled(if: scale != nil, "make torture"))
    struct TortureTests {
        @Test(arguments: [
            ("service-a", ["/echo", "/echo", "/health", "/ready", "/nope", "/"]),
            ("service-b", ["/call-echo", "/health", "/health", "/health", "/ready", "/nope"]),
        ])
        func `A million malformed requests leave nothing behind`(
            name: String, paths: [String]
        ) throws {
            let count = Int(1_000_000 * (scale ?? 0))
            // Set TORTURE_SEED to have the same streams again.
            let seed =
                ProcessInfo.processInfo.environment["TORTURE_SEED"].flatMap { UInt64($0) }
                ?? .random(in: 0 ... .max)
            let a = try ServiceProcess("service-a", ["--log-level", "notice"])
            let options = ["--log-level", "notice", "--idle-timeout", "1s"]
            let url = ["--service-a-url", "http://127.0.0.1:\(a.port)"]
            let service = try ServiceProcess(name, options + (name == "service-b" ? url : []))
            #expect(try get("/health", port: service.port).status == 200)
            let descriptors = try service.descriptors()

            let progress = Tally()
            let statuses = Tally()
            let problems = Tally()
            let start = ContinuousClock.now
            let threads = (0..<6).map { _ in
                inBackground {
                    while progress["requests"] < count, problems.sum < 10 {
                        let number = progress.add("streams")
                        let stream = RequestStream(seed: seed, number: number, paths: paths)
                        do {
                            for status in try send(stream, port: service.port) {
                                statuses.add("\(status)")
                            }
                            progress.add("requests", stream.count)
                        } catch {
                            problems.add("stream \(number): \(error)")
                        }
                    }
                }
            }
            // By then, memory has settled.
            #expect(
                eventually(within: .seconds(900)) {
                    progress["requests"] > count / 4 || threads.allSatisfy(\.isOpen)
                })
            let (early, before) = (progress["requests"], try service.residentBytes())
            #expect(eventually(within: .seconds(900)) { threads.allSatisfy(\.isOpen) })
            let requests = progress["requests"]
            let growth = try service.residentBytes() - before
            print(
                """
                \(name): \(requests) requests in \(progress["streams"]) streams of seed \(seed) \
                in \(ContinuousClock.now - start): \
                \(statuses.counts.sorted { $0.key < $1.key }.map { "\($0.value) × \($0.key)" }), \
                \(growth) bytes of memory more, \(before) before
                """)
            #expect(problems.counts.isEmpty)
            let allowed = "100 200 400 404 405 413 414 431".split(separator: " ").map(
                String.init)
            #expect(Set(statuses.counts.keys).subtracting(allowed).isEmpty)
            #expect(scale != 1 || growth < 10 * (requests - early))
            #expect(try get("/health", port: service.port).status == 200)
            #expect(
                try eventually(within: .seconds(30)) {
                    try service.descriptors() <= descriptors + 10
                        && get("/metrics", port: service.port).body
                            .contains("\nhttp_requests_in_flight 1.0\n")
                })
            service.signal(SIGTERM)
            #expect(service.exitCode() == 0)
            #expect(service.errorText == "")
        }

        /// How many connections a service has, this one included.
        private func connections(_ service: ServiceProcess) throws -> Int {
            let page = try get("/metrics", port: service.port).body
            let count = page.firstMatch(of: /\nhttp_connections (\d+)/)
            return try #require(count.flatMap { Int($0.1) })
        }

        @Test func `Five thousand idle connections and four hundred slow ones disturb nobody`()
            throws
        {
            _ = DescriptorLimit.raise()
            let limit = Duration.seconds(3)
            let a = try ServiceProcess(
                "service-a",
                [
                    "--log-level", "notice", "--idle-timeout", "5m", "--header-timeout", "3s",
                    "--send-timeout", "3s",
                ])
            #expect(try get("/health", port: a.port).status == 200)
            let (bytes, descriptors) = (try a.residentBytes(), try a.descriptors())
            var idle = try (0..<5000).map { _ in
                let client = try HTTPClient(port: a.port)
                try client.request("/health")
                #expect(try client.response()?.status == 200)
                return client
            }
            let bytesEach = (try a.residentBytes() - bytes) / idle.count

            let isOver = Gate()
            defer { isOver.open() }
            // 14 MB of answers, of which the kernel takes some.
            let much = String(
                repeating: "GET /openapi.yaml HTTP/1.1\r\nHost: test\r\n\r\n", count: 1000)
            let begun = SharedCount()
            for number in 0..<400 {
                Thread.detachNewThread {
                    guard
                        let client = try? HTTPClient(port: a.port, timeout: .milliseconds(200))
                    else { return }
                    begun.add()
                    if number.isMultiple(of: 2) {
                        try? client.send("GET /echo HTTP/1.1\r\nHost: test\r\n")
                        while (try? client.everything(within: .milliseconds(200)))?.isEnded
                            == false
                        {
                            try? client.send("X-Drip: x\r\n")
                        }
                    } else {
                        try? client.takeLittle()
                        try? client.send(much)
                        _ = eventually(within: .seconds(60)) { isOver.isOpen }
                    }
                }
            }
            let start = ContinuousClock.now
            var ended: Duration?
            var times: [Duration] = []
            while ended == nil, ContinuousClock.now - start < .seconds(30) {
                let asked = ContinuousClock.now
                #expect(try get("/echo?msg=x", port: a.port).status == 200)
                times.append(ContinuousClock.now - asked)
                if asked - start > limit, begun.value == 400, times.count.isMultiple(of: 50),
                    try connections(a) <= idle.count + 1
                {
                    ended = ContinuousClock.now - start
                }
            }
            let slowest = times.sorted()[times.count * 99 / 100]
            print(
                """
                5,000 idle connections: \(bytesEach) bytes each; 400 slow ones: closed after \
                \(ended ?? .zero); meanwhile \(times.count) requests, \
                99 of 100 within \(slowest)
                """)
            #expect(ended != nil)
            if scale == 1 {
                #expect(ended ?? .zero < limit + .seconds(3))
                #expect(slowest < .milliseconds(50))
                #expect(bytesEach < 40_000)
            }
            for client in idle.prefix(10) {
                try client.request("/health")
                #expect(try client.response()?.status == 200)
            }
            idle = []
            #expect(try eventually { try a.descriptors() <= descriptors + 5 })
            a.signal(SIGTERM)
            #expect(a.exitCode() == 0)
        }

        @Test func `Twenty restarts under load lose no request that was accepted`() throws {
            let a = try ServiceProcess("service-a", ["--log-level", "notice"])
            let url = ["--service-a-url", "http://127.0.0.1:\(a.port)"]
            for (name, arguments, target) in [
                ("service-a", [], "/echo?msg=x"), ("service-b", url, "/call-echo?msg=x"),
            ] {
                let start = ContinuousClock.now
                let tally = try restart(
                    name, ["--log-level", "notice"] + arguments, times: 20, target: target)
                print(
                    """
                    20 restarts of \(name): \(tally["answered"]) answered, \(tally.sum - tally["answered"]) lost, in \
                    \(ContinuousClock.now - start)
                    """)
                #expect(Set(tally.counts.keys) == ["answered"])
            }
        }
    }
}
