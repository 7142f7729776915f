import Glibc
import TestSupport
import Testing

/// One way in which Service A can go wrong, played by a peer on a raw socket.
struct Misbehaviour: Sendable, CustomTestStringConvertible {
    /// What Service B makes of it: nil if it is an answer after all.
    let reason: String?
    let testDescription: String
    let serve: @Sendable (PeerConnection) -> Void

    private init(
        _ description: String, _ reason: String?,
        serve: @escaping @Sendable (PeerConnection) -> Void
    ) {
        testDescription = description
        self.reason = reason
        self.serve = serve
    }

    /// Takes the request and sends `text`, in which `\n` ends a line of the header section.
    private static func sends(
        _ description: String, _ reason: String?, _ text: String
    ) -> Self {
        Self(description, reason) { peer in
            _ = peer.request()
            peer.send(text.replacing("\n", with: "\r\n"))
        }
    }

    /// A whole, valid answer to the message `Hello`, with these fields.
    static func answer(status: String = "200 OK", fields: String = "") -> String {
        "HTTP/1.1 \(status)\nContent-Length: 16\n\(fields)\n{\"echo\":\"Hello\"}"
    }

    /// Those that take all the time that there is.
    static let slow = [
        Self("is silent", "timeout") { peer in
            _ = peer.request()
            peer.waitForClose()
        },
        Self("drips its header section by the line", "timeout") { peer in
            _ = peer.request()
            peer.send("HTTP/1.1 200 OK\r\n")
            while peer.send("X-Drip: 1\r\n") { usleep(10_000) }
        },
        Self("drips its header section by the byte", "timeout") { peer in
            _ = peer.request()
            peer.send("HTTP/1.1 200 OK\r\nX-Drip: ")
            while peer.send("x") { usleep(10_000) }
        },
        Self("drips its body", "timeout") { peer in
            _ = peer.request()
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            while peer.send(" ") { usleep(10_000) }
        },
        Self("promises a body and is silent", "timeout") { peer in
            _ = peer.request()
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            peer.waitForClose()
        },
        Self("drips its trailer section", "timeout") { peer in
            _ = peer.request()
            peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n")
            while peer.send("X-Drip: 1\r\n") { usleep(10_000) }
        },
        Self("drips a chunk extension", "timeout") { peer in
            _ = peer.request()
            peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10;")
            while peer.send("x") { usleep(10_000) }
        },
        Self("answers 100 Continue and is silent", "timeout") { peer in
            _ = peer.request()
            peer.send("HTTP/1.1 100 Continue\r\n\r\n")
            peer.waitForClose()
        },
    ]

    /// Takes the request, sends `start`, and then `more` until the client has closed.
    private static func goesOn(_ description: String, _ start: String, _ more: String) -> Self {
        let much = [UInt8](String(repeating: more, count: 65_536 / more.utf8.count).utf8)
        return Self(description, "bad_answer") { peer in
            _ = peer.request()
            peer.send(start)
            while peer.send(much) {}
        }
    }

    /// Those whose answer has no end, and comes as fast as it can.
    static let endless: [Self] = {
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        return [
            goesOn("sends header fields without end", "HTTP/1.1 200 OK\r\n", "A: b\r\n"),
            goesOn("sends interim responses without end", "", "HTTP/1.1 100 Continue\r\n\r\n"),
            goesOn("sends empty lines before its status line without end", "", "\r\n"),
            goesOn("sends a chunk extension without end", chunked + "10;", "x"),
            goesOn("sends chunks of one byte without end", chunked, "1\r\n \r\n"),
            goesOn(
                "sends trailer fields without end",
                chunked + "10\r\n{\"echo\":\"Hello\"}\r\n0\r\n", "A: b\r\n"),
        ]
    }()

    /// Those that end the connection before the answer is complete.
    static let cutOff = [
        Self("closes at once", "reset") { _ in },
        Self("closes after the request", "reset") { peer in _ = peer.request() },
        Self("resets after the request", "reset") { peer in
            _ = peer.request()
            peer.reset()
        },
        Self("resets inside the header section", "reset") { peer in
            _ = peer.request()
            peer.send("HTTP/1.1 200 OK\r\nContent-")
            peer.resetWhenRead()
        },
        Self("resets inside the body", "reset") { peer in
            _ = peer.request()
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
            peer.resetWhenRead()
        },
        sends("closes inside the status line", "reset", "HTTP/1.1 2"),
        sends("closes after the status line", "reset", "HTTP/1.1 200 OK\n"),
        sends("closes inside the header section", "reset", "HTTP/1.1 200 OK\nContent-Length: 16\n"),
        sends("closes after 100 Continue", "reset", "HTTP/1.1 100 Continue\n\n"),
        sends(
            "closes inside the body", "reset", "HTTP/1.1 200 OK\nContent-Length: 99\n\n{\"echo\""),
        sends(
            "closes inside a chunk", "reset",
            "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n40\n{\"echo\""),
        sends(
            "has a Content-Length of 2^63 - 1", "reset",
            "HTTP/1.1 200 OK\nContent-Length: 9223372036854775807\n\n{\"echo\":\"Hello\"}"),
    ]

    /// Those whose answer has another status than 200.
    static let badStatus =
        ["204 No Content", "304 Not Modified"].map { status in
            sends("answers \(status)", "bad_status", "HTTP/1.1 \(status)\n\n")
        }
        + ["404 Not Found", "500 Internal Server Error", "201 Created", "999 Odd"].map { status in
            sends("answers \(status)", "bad_status", answer(status: status))
        }
        + ["/", "/echo?msg=Hello", "http://127.0.0.1:1/", "//%zz/", "ftp://127.0.0.1/"].map { to in
            sends(
                "redirects to \(to)", "bad_status",
                answer(status: "301 Moved Permanently", fields: "Location: \(to)\n"))
        }
        + ["Basic realm=\"x\"", "Digest realm=\"x\", nonce=\"y\"", "Bearer"].map { scheme in
            sends(
                "asks for \(scheme)", "bad_status",
                answer(status: "401 Unauthorized", fields: "WWW-Authenticate: \(scheme)\n"))
        }

    /// Those whose answer is not one to the request.
    static let badAnswer = [
        sends("answers garbage", "bad_answer", "garbage\n\n"),
        sends("answers as HTTP/0.9 does", "bad_answer", "{\"echo\":\"Hello\"}"),
        sends(
            "has a negative Content-Length", "bad_answer",
            "HTTP/1.1 200 OK\nContent-Length: -16\n\n{\"echo\":\"Hello\"}"),
        sends(
            "has a Content-Length that is too short", "bad_answer",
            "HTTP/1.1 200 OK\nContent-Length: 9\n\n{\"echo\":\"Hello\"}"),
        sends(
            "has a bad chunk size", "bad_answer",
            "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\nzz\n{\"echo\":\"Hello\"}\n0\n\n"),
        sends(
            "has one field of 1 MB", "bad_answer",
            answer(fields: "X-Long: \(String(repeating: "x", count: 1_000_000))\n")),
        sends(
            "has 20,000 fields", "bad_answer",
            answer(fields: String(repeating: "X-F: 1\n", count: 20_000))),
        sends("answers nothing", "bad_answer", "HTTP/1.1 200 OK\nContent-Length: 0\n\n"),
        sends("answers no JSON", "bad_answer", "HTTP/1.1 200 OK\nContent-Length: 5\n\nHello"),
        sends(
            "answers other JSON", "bad_answer", "HTTP/1.1 200 OK\nContent-Length: 7\n\n{\"a\":1}"),
        sends(
            "answers a number", "bad_answer", "HTTP/1.1 200 OK\nContent-Length: 10\n\n{\"echo\":1}"),
        sends(
            "answers another message", "bad_answer",
            "HTTP/1.1 200 OK\nContent-Length: 16\n\n{\"echo\":\"hello\"}"),
        sends(
            "answers what is no UTF-8", "bad_answer",
            "HTTP/1.1 200 OK\nContent-Length: 18\n\n{\"echo\":\"Hello\\ud800\"}"),
        sends(
            "answers with 64 KiB more than it may", "bad_answer",
            "HTTP/1.1 200 OK\nContent-Length: 65557\n\n{\"echo\":\"Hello\"}"
                + String(repeating: " ", count: 65_541)),
    ]

    /// Those whose answer would not fit into memory a few times over.
    static let huge: [Self] = {
        // Made before anybody waits for it.
        let megabyte = [UInt8](repeating: UInt8(ascii: " "), count: 1_000_000)
        let gzipped = gzipOfZeros(count: 100_000_000)
        return [
            Self("answers with 200 MB", "bad_answer") { peer in
                _ = peer.request()
                peer.send("HTTP/1.1 200 OK\r\nContent-Length: 200000000\r\n\r\n")
                for _ in 0..<200 where !peer.send(megabyte) { return }
            },
            Self("answers with 200 MB in chunks", "bad_answer") { peer in
                _ = peer.request()
                peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                for _ in 0..<200
                where !(peer.send("f4240\r\n") && peer.send(megabyte) && peer.send("\r\n")) {
                    return
                }
            },
            Self("answers with 100 MB in 600 KB of gzip", "bad_answer") { peer in
                _ = peer.request()
                peer.send(
                    "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: \(gzipped.count)\r\n\r\n"
                )
                peer.send(gzipped)
            },
        ]
    }()

    /// Those that are odd, and right: Service B is to take the answer.
    static let valid = [
        sends("answers", nil, answer()),
        sends("has no reason phrase", nil, answer(status: "200")),
        sends("has a field without a space", nil, answer(fields: "X-Field:value\n")),
        sends("has an empty field", nil, answer(fields: "X-Field:\nX-Other:  \n")),
        sends("has 900 fields", nil, answer(fields: String(repeating: "X-F: 1\n", count: 900))),
        sends("continues first", nil, "HTTP/1.1 100 Continue\n\n" + answer()),
        sends("hints early", nil, "HTTP/1.1 103 Early Hints\nLink: </x>\n\n" + answer()),
        sends("sets a cookie", nil, answer(fields: "Set-Cookie: a=b\n")),
        sends("speaks HTTP/1.0", nil, "HTTP/1.0 200 OK\n\n{\"echo\":\"Hello\"}"),
        sends(
            "has a trailer", nil,
            "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nTrailer: X-T\n\n"
                + "10\n{\"echo\":\"Hello\"}\n0\nX-T: 1\n\n"),
        sends(
            "says more than it has to", nil,
            "HTTP/1.1 200 OK\nContent-Length: 23\n\n{\"a\":1,\"echo\":\"Hello\"} "),
        Self("closes a connection when it is used again", nil) { peer in
            _ = peer.request()
            peer.send(answer().replacing("\n", with: "\r\n"))
            _ = peer.request()
        },
        Self("resets a connection when it is used again", nil) { peer in
            _ = peer.request()
            peer.send(answer().replacing("\n", with: "\r\n"))
            _ = peer.request()
            peer.reset()
        },
    ]

    /// Those that Service B is a match for only with CFoundationNetworkingFixes.
    static let fixed: Set = [
        "closes after the status line", "has a Content-Length of 2^63 - 1", "has a trailer",
        "answers with 200 MB", "answers with 200 MB in chunks",
        "answers with 100 MB in 600 KB of gzip", "has 20,000 fields",
        "has a field without a space", "has an empty field", "has no reason phrase",
        "sends header fields without end", "sends interim responses without end",
        "sends a chunk extension without end", "sends chunks of one byte without end",
        "sends trailer fields without end",
    ]

    static let all = slow + endless + cutOff + badStatus + badAnswer + huge + valid
}

/// A gzip of zeros, by the deflate format: a literal, then its repetition by 258, over and over.
private func gzipOfZeros(count: Int) -> [UInt8] {
    var bytes: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]
    var pending = 0
    var pendingCount = 0
    // Bits of Huffman codes, the first one first.
    func put(_ bits: String) {
        for bit in bits.utf8 {
            pending |= (bit == UInt8(ascii: "1") ? 1 : 0) << pendingCount
            pendingCount += 1
            if pendingCount == 8 {
                bytes.append(UInt8(pending))
                (pending, pendingCount) = (0, 0)
            }
        }
    }
    put("1" + "10")  // The last block, with fixed codes (RFC 1951 §3.2.6).
    put("00110000")  // The literal 0.
    for _ in 0..<count / 258 { put("11000101" + "00000") }  // Length 258, distance 1.
    put("0000000" + "0000000")
    return bytes
}
