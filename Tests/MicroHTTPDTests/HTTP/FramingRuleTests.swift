import HTTPTypes
import Testing

@testable import MicroHTTPD

@Suite struct FramingRuleTests {
    /// The status with which a head of this first line and these fields is rejected.
    private func rejection(_ fields: String, line: String = "GET / HTTP/1.1") -> Int? {
        rejection(of: RequestHead(sent: "\(line)\n\(fields)"))
    }

    private func rejection(of head: RequestHead) -> Int? {
        do { try Framing.check(head) } catch { return error.status.code }
        return nil
    }

    @Test(arguments: [
        ("GET / HTTP/1.1", nil), ("G@T / HTTP/1.1", 400), ("GET a HTTP/1.1", 400),
        ("GET /#a HTTP/1.1", 400), ("OPTIONS * HTTP/1.1", nil), ("GET * HTTP/1.1", 400),
        ("GET /\(String(repeating: "x", count: 8191)) HTTP/1.1", nil),
        ("GET /\(String(repeating: "x", count: 8192)) HTTP/1.1", 414),
        ("GET /?\(String(repeating: "x", count: 8190)) HTTP/1.1", nil),
        ("GET /?\(String(repeating: "x", count: 8191)) HTTP/1.1", 414),
    ])
    func `The first line is a token and a target of 8 KiB at most`(line: String, status: Int?) {
        #expect(rejection("Host:test", line: line) == status)
    }

    @Test(arguments: [
        ("Host:test", "1.1", nil), ("Host:", "1.1", nil), ("", "1.1", 400), ("", "1.0", nil),
        ("Host:test\nHost:test", "1.1", 400), ("host:a\nHOST:b", "1.0", 400),
        ("Host:a b", "1.1", 400), ("Host:a b", "1.0", 400), ("Host:[::1]:80", "1.1", nil),
    ])
    func `There is one Host, which is an authority`(
        fields: String, version: String, status: Int?
    ) {
        #expect(rejection(fields, line: "GET / HTTP/\(version)") == status)
    }

    @Test(arguments: [
        (64, 100, nil), (65, 100, 431), (2, 8192, nil), (2, 8193, 431), (1, 11, nil),
    ])
    func `A header section has 64 fields and 8 KiB at most`(count: Int, size: Int, status: Int?) {
        let host = "Host:test"
        // Each line is sent with a blank and a line end more than it has here.
        var lines = [host] + Array(repeating: "A:", count: max(0, count - 2))
        if count > 1 { lines.append("X:") }
        let sent = lines.reduce(0) { $0 + $1.utf8.count + 3 }
        lines[lines.count - 1] += String(repeating: "x", count: max(0, size - sent))
        #expect(rejection(lines.joined(separator: "\n")) == status)
    }

    @Test(arguments: [(22_440, nil), (22_441, 431)])
    func `Empty lines before a head need memory, too`(count: Int, status: Int?) {
        let head = RequestHead(sent: "GET / HTTP/1.1\nHost:test", blankSize: count)
        #expect(rejection(of: head) == status)
    }

    @Test func `A head that is not reported as it was sent is rejected`() {
        let head = RequestHead(sent: "GET / HTTP/1.1\nHost:test", isReadAsSent: false)
        #expect(rejection(of: head) == 400)
    }

    @Test(arguments: ["A B:1", "A:\u{1}"])
    func `A field that is not valid is rejected`(field: String) {
        #expect(rejection("Host:test\n\(field)") == 400)
    }

    @Test(arguments: [
        ("chunked", nil), ("CHUNKED", nil), ("chunked ", nil), ("", 400), ("gzip", 400),
        ("gzip, chunked", 400), ("chunked, chunked", 400), ("identity", 400), ("chunked;q=1", 400),
        ("chun\u{212a}ed", 400), ("chunked\nTransfer-Encoding:chunked", 400),
        ("x\nTransfer-Encoding:chunked", 400), ("chunked\nContent-Length:3", 400),
    ])
    func `The only Transfer-Encoding is chunked, once and without a Content-Length`(
        value: String, status: Int?
    ) {
        #expect(rejection("Host:test\nTransfer-Encoding:\(value)") == status)
        let old = "GET / HTTP/1.0"
        #expect(rejection("Host:test\nTransfer-Encoding:\(value)", line: old) == 400)
    }

    @Test(arguments: [
        ("0", nil), ("3", nil), ("03", nil), ("3 ", nil), ("65537", nil), ("8388608", nil),
        ("8388609", 413), ("9223372036854775808", 413), ("", 400), ("3, 3", 400), ("+3", 400),
        ("-1", 400), ("0x3", 400), ("3;", 400), ("3\nContent-Length:3", 400),
        ("0\nContent-Length:3", 400), ("65536\nExpect:100-continue", nil),
        ("65537\nExpect:100-continue", 413),
    ])
    func `There is one Content-Length, a number within the limit`(value: String, status: Int?) {
        #expect(rejection("Host:test\nContent-Length:\(value)") == status)
    }

    @Test(arguments: [("Transfer-Encoding:chunked", true), ("Content-Length:3", false)])
    func `Content is in chunks where there is a Transfer-Encoding`(field: String, isChunked: Bool) {
        #expect(RequestHead(sent: "GET / HTTP/1.1\n\(field)").isChunked == isChunked)
    }
}
