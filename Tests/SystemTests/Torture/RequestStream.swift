import TestSupport

/// A generator of random numbers that are the same for the same seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }
}

/// The requests of one connection: right ones of many kinds first, then some that are malformed.
///
/// The server stops reading at the first one that breaks a rule, hence the order.
struct RequestStream {
    /// The numbers that are still to come.
    var random: SeededGenerator

    /// How many requests there are.
    let count: Int

    /// All of them.
    private(set) var bytes: [UInt8] = []

    /// Makes the stream with this number of the run with this seed.
    init(seed: UInt64, number: Int, paths: [String]) {
        random = SeededGenerator(state: seed ^ UInt64(number) &* 0xd134_2543_de82_ef95)
        count = Int.random(in: 1...24, using: &random)
        let malformed = Int.random(in: 0...2, using: &random)
        for index in 0..<count {
            var request = request(paths)
            if count - index <= malformed { spoil(&request) }
            bytes += request
        }
    }

    /// What field lines are made of.
    private static let fields = [
        "Accept: */*", "Accept-Encoding: gzip, br", "Cache-Control: no-cache",
        "Connection: keep-alive",
        "Cookie: a=b; c=\"d\"; ;;=;", "Expect: nothing", "If-None-Match: \"x\"", "Range: bytes=0-1",
        "TE: trailers", "Upgrade: h2c", "User-Agent: torture", "X-Empty:", "X-Request-Id: torture",
        "X-Tab: a\tb", "traceparent: 00-0123456789abcdef0123456789abcdef-0123456789abcdef-01",
        "tracestate: a=b,c=d",
    ]

    /// What makes requests malformed.
    private static let spoils = [
        "\r\n", "\n", "\r", "\0", " ", "\t", ":", "%", "%00", "?", "#", "\u{7f}", "\r\n\r\n",
        "\r\n ",
        "Content-Length: 5\r\n", "Content-Length: 99999999999999999999\r\n",
        "Content-Length: -1\r\n",
        "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: gzip\r\n", "Host: other\r\n",
        "Expect: 100-continue\r\n", "Connection: close\r\n", "HTTP/1.0", "HTTP/2.0",
        "GET / HTTP/1.1\r\n",
        "FFFFFFFFFFFFFFFF\r\n", "-1\r\n", "0\r\n\r\n", ";x=y", "http://test",
    ]

    private mutating func isTrue(_ chance: Double) -> Bool {
        Double.random(in: 0..<1, using: &random) < chance
    }

    private mutating func one<Element>(of elements: [Element]) -> Element {
        elements[Int.random(in: 0..<elements.count, using: &random)]
    }

    /// Characters of a query: any, escaped or not.
    private mutating func text() -> String {
        (0..<Int.random(in: 0...12, using: &random)).map { _ in
            if isTrue(0.5) {
                return one(of: ["a", "+", "=", "&", ";", "/", "?", "é", "msg=", "%41"])
            }
            return [UInt8.random(in: 0...255, using: &random)].percentEscaped
        }.joined()
    }

    /// A request that keeps to the rules, whatever the answer is.
    private mutating func request(_ paths: [String]) -> [UInt8] {
        let method =
            isTrue(0.8) ? "GET" : one(of: ["HEAD", "POST", "PUT", "OPTIONS", "DELETE", "X-Y"])
        let target = one(of: paths) + (isTrue(0.5) ? "?msg=" + text() : isTrue(0.1) ? text() : "")
        var lines = [
            "\(method) \(isTrue(0.05) ? "http://test" : "")\(target) HTTP/1.1", "Host: test",
        ]
        while isTrue(0.4) { lines.append(one(of: Self.fields)) }
        if isTrue(0.01) {
            lines.append(
                "X-Long: " + String(repeating: "x", count: .random(in: 0...8000, using: &random)))
        }
        var content = ""
        switch Int.random(in: 0..<10, using: &random) {
        case 0:
            content = String(
                repeating: "GET / HTTP/1.1\r\n\r\n", count: .random(in: 0...99, using: &random))
            lines.append("Content-Length: \(content.utf8.count)")
        case 1:
            lines.append("Transfer-Encoding: chunked")
            while isTrue(0.7) {
                let size = Int.random(in: 1...300, using: &random)
                content +=
                    String(size, radix: 16) + "\r\n" + String(repeating: "x", count: size) + "\r\n"
            }
            content += "0\r\n" + (isTrue(0.3) ? "X-Trailer: x\r\n" : "") + "\r\n"
        default: break
        }
        return Array((lines + ["", content]).joined(separator: "\r\n").utf8)
    }

    /// Breaks some rule, most probably.
    private mutating func spoil(_ request: inout [UInt8]) {
        repeat {
            let start = Int.random(in: 0..<max(1, request.count), using: &random)
            let end = min(request.count, start + Int.random(in: 1...12, using: &random))
            guard start < end else { return }
            switch Int.random(in: 0..<7, using: &random) {
            case 0: request[start] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1: request[start] = UInt8.random(in: 0...255, using: &random)
            case 2: request.removeSubrange(start..<end)
            case 3: request.insert(contentsOf: request[start..<end], at: start)
            case 4: request.removeSubrange(start...)
            case 5 where isTrue(0.05):
                let count = one(of: [100, 1000, 8192, 20_000, 70_000])
                request.insert(
                    contentsOf: [UInt8](repeating: request[start], count: count), at: start)
            default: request.insert(contentsOf: one(of: Self.spoils).utf8, at: start)
            }
        } while isTrue(0.3)
    }
}
