extension Misbehaviour {
    /// The right content, after this line where the size of its chunk belongs.
    private static func hasSize(
        _ name: String, _ summary: String, _ outcome: Outcome, or alternative: Outcome? = nil,
        _ section: String = "RFC 9112 §7.1", _ line: @escaping @Sendable (Echo) -> String
    ) -> Self {
        sends(name, "has \(summary)", outcome, or: alternative, section) {
            $0.chunked("\(line($0))\n\($0.json)\n0\n\n")
        }
    }

    /// The right content in a right chunk, after a header section with these fields.
    private static func has(
        _ name: String, _ summary: String, _ outcome: Outcome, or alternative: Outcome? = nil,
        _ section: String, _ head: @escaping @Sendable (Echo) -> String
    ) -> Self {
        sends(name, summary, outcome, or: alternative, section) {
            "\(head($0))\n\n\($0.hex)\n\($0.json)\n0\n\n"
        }
    }

    /// Those that use transfer codings in an odd or malformed way.
    package static let chunks = [
        hasSize("chunk-extension", "chunk extensions", .answer, "RFC 9112 §7.1.1") {
            "\($0.hex);a=b;c=\"d;\""
        },
        hasSize("chunk-size-with-zeros", "a chunk size with zeros in front", .answer) {
            "000\($0.hex)"
        },
        hasSize(
            "chunk-size-with-space", "a chunk size with a space behind", .answer, or: .badAnswer
        ) { "\($0.hex) " },
        hasSize("chunk-size-of-letters", "a chunk size that is not a number", .badAnswer) { _ in
            "zz"
        },
        hasSize("chunk-size-with-letter", "a chunk size with a letter behind", .badAnswer) {
            "\($0.hex)x"
        },
        hasSize("no-chunk-size", "an empty line for a chunk size", .badAnswer) { _ in "" },
        hasSize("negative-chunk-size", "a negative chunk size", .badAnswer) { "-\($0.hex)" },
        hasSize("chunk-size-with-plus", "a chunk size with a plus", .badAnswer) { "+\($0.hex)" },
        hasSize("chunk-size-with-0x", "a chunk size with 0x in front", .badAnswer) {
            "0x\($0.hex)"
        },
        hasSize("chunk-size-of-2-to-63", "a chunk size of 2^63", .badAnswer, or: .cutOff) { _ in
            "8000000000000000"
        },
        hasSize(
            "chunk-size-wraps-to-right", "a chunk size of 2^64 more than it is", .badAnswer,
            or: .cutOff
        ) { "1" + String(repeating: "0", count: 16 - $0.hex.utf8.count) + $0.hex },
        sends(
            "chunk-too-long", "has a chunk that is longer than its size", .badAnswer,
            "RFC 9112 §7.1"
        ) {
            $0.chunked("\($0.hex)\n\($0.json)   \n0\n\n")
        },
        sends("last-chunk-with-0x", "has 0x5 for its last chunk", .badAnswer, "RFC 9112 §7.1") {
            $0.chunked("\($0.hex)\n\($0.json)\n0x5\n\n")
        },
        sends("no-line-after-chunk", "has no line break after a chunk", .badAnswer, "RFC 9112 §7.1")
        {
            $0.chunked("\($0.hex)\n\($0.json)0\n\n")
        },
        Self(
            "bare-lf-in-chunks", "ends the lines of its chunks with LF alone", .badAnswer,
            or: .answer, "RFC 9112 §2.2"
        ) { peer in
            let echo = peer.echo()
            peer.send(lines: echo.chunked(""))
            peer.send("\(echo.hex)\n\(echo.json)\n0\n\n")
        },
        sends("trailer", "has a trailer section", .answer, "RFC 9112 §7.1.2") {
            $0.chunked("\($0.hex)\n\($0.json)\n0\nX-T: 1\n\n", fields: "Trailer: X-T\n")
        },
        Self(
            "bare-lf-ends-trailer", "ends its trailer section with LF alone", .badAnswer,
            or: .answer, "RFC 9112 §2.2"
        ) { peer in
            let echo = peer.echo()
            peer.send(lines: echo.chunked("\(echo.hex)\n\(echo.json)\n0\n"))
            peer.send("\n")
        },
        sends(
            "framing-in-trailer", "has fields of framing in its trailer section", .answer,
            "RFC 9110 §6.5.1"
        ) {
            $0.chunked(
                "\($0.hex)\n\($0.json)\n0\nContent-Length: 5\nTransfer-Encoding: gzip\n"
                    + "Content-Encoding: gzip\n\n")
        },
        sends(
            "status-line-in-trailer", "has a status line in its trailer section", .answer,
            or: .badAnswer, "RFC 9110 §6.5.1"
        ) { $0.chunked("\($0.hex)\n\($0.json)\n0\nHTTP/1.1 500 Odd\n\n") },
        has(
            "chunked-and-length", "has chunks and a Content-Length", .answer, or: .badAnswer,
            "RFC 9112 §6.3"
        ) { _ in "HTTP/1.1 200 OK\nContent-Length: 5\nTransfer-Encoding: chunked" },
        has("chunked-twice", "says chunked twice", .answer, or: .badAnswer, "RFC 9112 §6.1") { _ in
            "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nTransfer-Encoding: chunked"
        },
        has("chunked-in-capitals", "says CHUNKED", .answer, "RFC 9112 §7") { _ in
            "HTTP/1.1 200 OK\nTransfer-Encoding: CHUNKED"
        },
        has("chunked-in-1-0", "has chunks in HTTP/1.0", .answer, or: .badAnswer, "RFC 9112 §6.1") {
            _ in "HTTP/1.0 200 OK\nTransfer-Encoding: chunked"
        },
        has(
            "unknown-transfer-coding", "has an unknown transfer coding", .badAnswer, "RFC 9112 §6.1"
        ) {
            _ in "HTTP/1.1 200 OK\nTransfer-Encoding: odd, chunked"
        },
        sends(
            "chunked-without-chunks", "says chunked and has no chunks", .badAnswer, "RFC 9112 §7.1"
        ) {
            $0.chunked($0.json)
        },
    ]
}
