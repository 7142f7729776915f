extension Misbehaviour {
    /// Those whose answer is large: a client with a limit rejects it.
    package static let size: [Self] = {
        // Made before anybody waits for it.
        let megabyte = [UInt8](repeating: UInt8(ascii: " "), count: 1_000_000)
        let bomb = Gzip.ofZeros(count: 100_000_000)
        return [
            sends("900-fields", "has 900 fields", .answer, or: .badAnswer, "RFC 9110 §5.4") {
                $0.answer(fields: String(repeating: "X-F: 1\n", count: 900))
            },
            sends("20000-fields", "has 20,000 fields", .badAnswer, or: .answer, "RFC 9110 §5.4") {
                $0.answer(fields: String(repeating: "X-F: 1\n", count: 20_000))
            },
            sends(
                "field-of-30-kb", "has a field of 30 KB", .answer, or: .badAnswer, "RFC 9110 §5.4"
            ) {
                $0.answer(fields: "X-Long: \(String(repeating: "x", count: 30_000))\n")
            },
            sends("field-of-1-mb", "has a field of 1 MB", .badAnswer, or: .answer, "RFC 9110 §5.4")
            {
                $0.answer(fields: "X-Long: \(String(repeating: "x", count: 1_000_000))\n")
            },
            sends(
                "10000-interim-responses", "answers 100 Continue 10,000 times first", .badAnswer,
                or: .answer, "RFC 9110 §15.2"
            ) { String(repeating: "HTTP/1.1 100 Continue\n\n", count: 10_000) + $0.answer() },
            sends(
                "chunk-extension-of-20-kb", "has a chunk extension of 20 KB", .answer,
                or: .badAnswer,
                "RFC 9112 §7.1.1"
            ) {
                let more = String(repeating: "x", count: 20_000)
                return $0.chunked("\($0.hex);\(more)\n\($0.json)\n0\n\n")
            },
            sends(
                "65-kib-too-much", "answers with more than 64 KiB more than it has to", .badAnswer,
                or: .answer, "RFC 9110 §17.5"
            ) { $0.answer(content: $0.json + String(repeating: " ", count: 65_541)) },
            Self("200-mb", "answers with 200 MB", .badAnswer, or: .answer, "RFC 9110 §17.5") {
                peer in
                let echo = peer.echo()
                let length = 200_000_000 + echo.length
                peer.send(lines: "HTTP/1.1 200 OK\nContent-Length: \(length)\n\n\(echo.json)")
                for _ in 0..<200 where !peer.send(megabyte) { return }
            },
            Self(
                "200-mb-in-chunks", "answers with 200 MB in chunks", .badAnswer, or: .answer,
                "RFC 9110 §17.5"
            ) { peer in
                let echo = peer.echo()
                peer.send(lines: echo.chunked("\(echo.hex)\n\(echo.json)\n"))
                for _ in 0..<200
                where
                    !(peer.send(lines: "f4240\n") && peer.send(megabyte) && peer.send(lines: "\n"))
                {
                    return
                }
                peer.send(lines: "0\n\n")
            },
            Self("gzip-bomb", "answers with 100 MB in 600 KB of gzip", .badAnswer, "RFC 9110 §17.5")
            {
                peer in
                _ = peer.request()
                peer.send(
                    lines:
                        "HTTP/1.1 200 OK\nContent-Encoding: gzip\nContent-Length: \(bomb.count)\n\n"
                )
                peer.send(bomb)
            },
        ]
    }()
}
