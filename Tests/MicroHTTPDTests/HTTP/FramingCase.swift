import MicroHTTPD
import Testing

/// One way to put a request into bytes, and what is to become of it.
///
/// Where no other is named, the target is `/framed`.
struct FramingCase: Sendable, CustomTestStringConvertible {
    /// What the client gets.
    enum Outcome: Sendable {
        /// 200, and the next request on the connection is served as well.
        case served
        /// 200, and the end.
        case servedLast
        /// This status with the content that the router gives to refusals, and the end.
        case refused(Int)
        /// The end, and a 400 before it at most.
        case dropped
        /// The end, and a 200 or a 400 before it.
        case ended
    }

    /// With which versions of libmicrohttpd it is known to come out differently.
    enum Issue: Sendable {
        /// 0.9.x, whose parser hides it from us or answers twice.
        case before1
        /// 1.0.x, some releases of which are stricter than they need be.
        case since1
    }

    let testDescription: String
    let bytes: [UInt8]
    let outcome: Outcome
    let issue: Issue?

    /// In `text`, `\n` ends a line; where lines are to end differently it is `raw`.
    private init(
        _ description: String, _ text: String, _ outcome: Outcome, _ issue: Issue? = nil,
        raw: Bool = false
    ) {
        testDescription = description
        bytes = Array((raw ? text : text.replacing("\n", with: "\r\n")).utf8)
        self.outcome = outcome
        self.issue = issue
    }

    /// A request with these lines after its first one, `Host` included.
    private static func fields(
        _ lines: String, content: String = "", version: String = "1.1"
    ) -> String {
        "GET /framed HTTP/\(version)\nHost: test\n\(lines)\n\n\(content)"
    }

    /// A request with this first line.
    private static func line(_ line: String) -> String { "\(line)\nHost: test\n\n" }

    /// What a proxy that has read a request differently takes to be content.
    private static let smuggled = "GET /smuggled HTTP/1.1\nHost: test\n\n"

    /// All.
    static let all = lines + lineEnds + hosts + names + codings + lengths + chunks

    /// The first line.
    private static let lines =
        [
            "GET /framed HTTP/1.1", "GET http://test/framed HTTP/1.1",
            "GET http://other:80/framed?x=1 HTTP/1.1", "GET HTTP://test/framed HTTP/1.1",
            "GET /framed? HTTP/1.1", "GET /framed?a?b HTTP/1.1", "GET /framed HTTP/1.2",
        ].map { Self($0, line($0), .served) }
        + [
            "G@T /framed HTTP/1.1", "GET framed HTTP/1.1", "GET * HTTP/1.1",
            "OPTIONS *?x HTTP/1.1", "CONNECT /framed HTTP/1.1", "CONNECT test HTTP/1.1",
            "CONNECT test: HTTP/1.1", "CONNECT :443 HTTP/1.1", "CONNECT a:b:443 HTTP/1.1",
            "GET test:443 HTTP/1.1", "GET ftp://test/framed HTTP/1.1",
            "GET http:///framed HTTP/1.1", "GET http://a:b:c/framed HTTP/1.1",
            "GET http://user@test/framed HTTP/1.1", "GET /framed#x HTTP/1.1",
            "GET /framed?x#y HTTP/1.1", "GET /fra med HTTP/1.1", "GET /framed?x y HTTP/1.1",
            "GET /framed\u{1} HTTP/1.1",
            "GET /framed?\u{7f} HTTP/1.1", "GET /framed", "GET /framed HTTP/1.x",
            "GET /framed http/1.1",
            "GET /framed HTTP/11", "GET /framed HTTPS/1.1",
        ].map { Self($0.debugDescription, line($0), .refused(400)) }
        + ["CONNECT test:443 HTTP/1.1", "CONNECT [::1]:443 HTTP/1.1"].map {
            Self($0, line($0), .refused(405))
        }
        + ["GET /framed HTTP/2.0", "GET /framed HTTP/0.9"].map { Self($0, line($0), .refused(400)) }
        + [
            Self("the preface of HTTP/2", "PRI * HTTP/2.0\n\nSM\n\n", .refused(400)),
            Self("hello world", line("hello world"), .dropped),
            Self("one word", "GET\n\n", .dropped),
            Self("a space first", " " + line("GET /framed HTTP/1.1"), .dropped),
            Self("tabs for spaces", line("GET\t/framed\tHTTP/1.1"), .dropped, .since1),
            Self("an empty line first", "\n" + line("GET /framed HTTP/1.1"), .served, .since1),
            Self(
                "lines that end without CR", line("GET /framed HTTP/1.1"), .refused(400),
                raw: true),
            Self("NUL in the target", line("GET /framed\0 HTTP/1.1"), .refused(400), .since1),
            Self("NUL in the query", line("GET /framed?\0 HTTP/1.1"), .refused(400), .since1),
        ]

    /// Ends of lines and of the header section that libmicrohttpd 0.9 misreads.
    private static let lineEnds = [
        ":\n", "\0\n", "X: 1\n:\r\n", "X: 1\n\0\r\n", "X: 1\0\r\n\n", "X: 1\0\0\n\n",
        "X: 1\0\nA: b\r\n\r\n", "X: 1\0\nContent-Length: 38\r\n\r\n",
    ].map {
        Self(
            $0.debugDescription, "GET /framed HTTP/1.1\r\nHost: test\r\n\($0)", .refused(400),
            raw: true)
    }

    /// The field `Host`.
    private static let hosts =
        [
            Self("no Host", "GET /framed HTTP/1.1\n\n", .refused(400)),
            Self("no Host in absolute form", "GET http://test/framed HTTP/1.1\n\n", .refused(400)),
            Self("two Hosts", fields("Host: other"), .refused(400)),
            Self("the same Host twice", fields("host: test"), .refused(400)),
            Self("two Hosts in HTTP/1.0", fields("Host: other", version: "1.0"), .refused(400)),
        ]
        + [
            "a b", "a/b", "user@test", "a\u{e9}", "a:b:c", "a:80:80", "test:8x", "%zz", "%4", "%",
            "::1", "[::1", "[]", "[zz]", "[::1]x", "[::1]:x", "[::1]:80:80", "a[::1]", "]",
            "[v1.x]",
        ].map {
            Self(
                "Host \($0.debugDescription)", "GET /framed HTTP/1.1\nHost: \($0)\n\n",
                .refused(400))
        }
        + [
            "", "test ", " \ttest\t ", "test:80", "test:", "127.0.0.1:80", "[::1]", "[::1]:80",
            "[::ffff:127.0.0.1]", "service-a.test.", "service_a", "%74est:80",
        ].map {
            Self("Host \($0)", "GET /framed HTTP/1.1\nHost: \($0)\n\n", .served)
        }

    /// Names and values of fields.
    private static let names =
        [
            "X : 1", "Content-Length : 38", "Transfer-Encoding : chunked", ": 1", "X@Y: 1",
            "X\u{1}: 1", "X\u{e9}: 1", "(X): 1", "X: a\u{1}b", "X: a\u{7f}b", "X: a\rb",
        ].map {
            Self($0.debugDescription, fields($0, content: smuggled), .refused(400))
        }
        + ["X: a\tb", "X: \u{e9}", "X:", "X:1", "X: 1 ", "!#$%&'*+-.^_`|~0: 1"].map {
            Self($0.debugDescription, fields($0), .served)
        }
        + [
            Self("a field without colon", fields("X 1"), .refused(400)),
            Self("a folded value", fields("X: 1\n 2"), .refused(400)),
            Self(
                "a folded Content-Length", fields("Content-Length: 3\n 8", content: smuggled),
                .refused(400)),
            Self(
                "a folded Transfer-Encoding",
                fields("Transfer-Encoding:\n chunked", content: smuggled), .refused(400)),
            Self(
                "a first field that is folded", line("GET /framed HTTP/1.1\n X: 1"), .dropped),
            Self("NUL in a name", fields("X\0Y: 1"), .refused(400)),
            Self("NUL in a value", fields("X: 1\0 2"), .refused(400)),
        ]

    /// The field `Transfer-Encoding`.
    private static let codings =
        ["chunked", "CHUNKED", "chunked ", "Chunked\t \t"].map {
            Self(
                "Transfer-Encoding \($0.debugDescription)",
                fields("Transfer-Encoding: \($0)", content: "3\nabc\n0\n\n"), .servedLast)
        }
        + [
            "", "gzip", "gzip, chunked", "chunked, gzip", "chunked, chunked", "xchunked",
            "chunkedx", "chun\u{212a}ed", "identity", "chunked;q=1", "\"chunked\"", "chunked,",
            "\u{b}chunked",
        ].map {
            Self(
                "Transfer-Encoding \($0.debugDescription)",
                fields("Transfer-Encoding: \($0)", content: "0\n\n"), .refused(400))
        }
        + [
            Self(
                "two Transfer-Encodings",
                fields("Transfer-Encoding: chunked\nTransfer-Encoding: chunked", content: "0\n\n"),
                .refused(400)),
            Self(
                "two Transfer-Encodings, the other one first",
                fields("Transfer-Encoding: x\nTransfer-Encoding: chunked", content: "0\n\n"),
                .refused(400)),
            Self(
                "chunks in HTTP/1.0",
                fields("Transfer-Encoding: chunked", content: "0\n\n", version: "1.0"),
                .refused(400)),
            Self(
                "Content-Length before Transfer-Encoding",
                fields("Content-Length: 4\nTransfer-Encoding: chunked", content: "0\n\n"),
                .refused(400)),
            Self(
                "Content-Length after Transfer-Encoding",
                fields(
                    "Transfer-Encoding: chunked\nContent-Length: 43", content: "0\n\n" + smuggled),
                .refused(400)),
        ]

    /// The field `Content-Length`.
    private static let lengths =
        ["3", "03", "3 ", "3\t \t"].map {
            Self(
                "Content-Length \($0.debugDescription)",
                fields("Content-Length: \($0)", content: "abc"), .served)
        }
        + [
            Self(
                "two Content-Lengths",
                fields("Content-Length: 0\nContent-Length: 38", content: smuggled),
                .refused(400)),
            Self(
                "the same Content-Length twice",
                fields("Content-Length: 3\nContent-Length: 3", content: "abc"), .refused(400)),
        ]
        + ["", "3, 3", "+3", "-1", "0x3", "3;", "3 3", "3\u{b}3", "three"].map {
            Self(
                "Content-Length \($0.debugDescription)",
                fields("Content-Length: \($0)", content: "abc"), .refused(400))
        }
        + ["9223372036854775807", "9223372036854775808", "18446744073709551615"].map {
            Self("Content-Length \($0)", fields("Content-Length: \($0)"), .refused(413), .since1)
        }
        + ["18446744073709551616", "99999999999999999999999999999"].map {
            Self("Content-Length \($0)", fields("Content-Length: \($0)"), .refused(413))
        }

    /// Content in chunks, behind which no request is served: who read it differently might have
    /// seen another end.
    private static let chunks =
        ["3\nabc\n0\n\n", "0\n\n", "003\nabc\n000\n\n", "A\n0123456789\n0\nX: trailer\n\n"].map {
            chunked($0, .servedLast)
        }
        + ["3;x=y\nabc\n0\n\n", "3;x=\"y\"\nabc\n0;z\n\n"].map { chunked($0, .servedLast, .since1) }
        + [
            "xyz\nabc\n0\n\n", "-1\nabc\n0\n\n", "0x3\nabc\n0\n\n", "3 \nabc\n0\n\n",
            "3\nabcd\n0\n\n", "\nabc\n0\n\n", "0\nX\n\n", "0\nX: 1\nY\n\n",
        ].map { chunked($0, .refused(400)) }
        + [
            chunked("FFFFFFFFFFFFFFFFF\nabc\n0\n\n", .refused(413)),
            Self(
                "a chunk size of 30,000 digits",
                fields(
                    "Transfer-Encoding: chunked",
                    content: String(repeating: "0", count: 30_000) + "\n\n"), .refused(400),
                .since1),
        ]
        + [
            ":\n", "A: b\n:\n", "\0X: 1\n", "A: b\n\0\n", "A: b\n c\n\n", "A: b\n\tc: d\n\n",
            "A: b\0c\n\n", "A\u{1}: b\n\n", "A : b\n\n", "A: b\u{7f}\n\n",
            "Content-Length: 38\n\n", "Transfer-Encoding: chunked\n\n",
        ].map { chunked("0\n" + $0, .ended) }
        + ["3\nabc\r\n0\r\n\r\n", "0\r\n\n", "0\n\n", "0\r\nA: b\n\n"].map {
            Self(
                "chunks whose lines end without CR: \($0.debugDescription)",
                fields("Transfer-Encoding: chunked").replacing("\n", with: "\r\n") + $0, .ended,
                raw: true)
        }

    private static func chunked(
        _ content: String, _ outcome: Outcome, _ issue: Issue? = nil
    ) -> Self {
        Self(
            "chunks \(content.debugDescription)",
            fields("Transfer-Encoding: chunked", content: content), outcome, issue)
    }
}
