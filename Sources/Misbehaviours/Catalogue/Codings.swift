extension Misbehaviour {
    /// The right answer with this `Content-Encoding` and what it makes of the content.
    private static func codes(
        _ name: String, _ summary: String, _ outcome: Outcome, or alternative: Outcome? = nil,
        _ section: String, _ coding: String, _ code: @escaping @Sendable ([UInt8]) -> [UInt8]
    ) -> Self {
        Self(name, summary, outcome, or: alternative, section) { peer in
            let content = code(Array(peer.echo().json.utf8))
            peer.send(
                lines: "HTTP/1.1 200 OK\nContent-Encoding: \(coding)\n"
                    + "Content-Length: \(content.count)\n\n")
            peer.send(content)
        }
    }

    /// Those whose content is coded, which nobody asked for (no `Accept-Encoding`, or `identity`).
    package static let codings = [
        codes(
            "gzip", "answers in gzip, unasked", .badAnswer, or: .answer, "RFC 9110 §12.5.3",
            "gzip", { Gzip.of($0) }),
        codes(
            "gzip-twice", "answers in gzip of gzip", .badAnswer, or: .answer, "RFC 9110 §8.4",
            "gzip, gzip", { Gzip.of(Gzip.of($0)) }),
        codes(
            "raw-deflate", "answers in deflate without the wrapping of zlib", .badAnswer,
            or: .answer, "RFC 9110 §8.4.1.2", "deflate", { Gzip.stored($0) }),
        codes(
            "gzip-bad-checksum", "answers in gzip with a wrong checksum", .badAnswer,
            "RFC 1952 §2.3.1", "gzip", { Gzip.of($0, checksum: 0) }),
        codes(
            "gzip-cut-short", "answers in gzip that is cut short", .badAnswer, "RFC 1952 §2.2",
            "gzip", { Array(Gzip.of($0).dropLast(14)) }),
        codes(
            "gzip-garbage", "answers in gzip that is none", .badAnswer, "RFC 1952 §2.3", "gzip",
            { _ in Array("garbage".utf8) }),
        codes(
            "plain-as-gzip", "says gzip and is plain", .answer, or: .badAnswer, "RFC 9110 §8.4",
            "gzip", \.self),
        codes(
            "unknown-coding", "says an unknown coding and is plain", .answer, or: .badAnswer,
            "RFC 9110 §8.4", "odd", \.self),
        codes(
            "identity-coding", "says identity", .answer, "RFC 9110 §12.5.3", "identity", \.self),
        codes(
            "a-hundred-codings", "says gzip a hundred times", .badAnswer, or: .answer,
            "RFC 9110 §8.4", [String](repeating: "gzip", count: 100).joined(separator: ", "),
            { (0..<100).reduce($0) { coded, _ in Gzip.of(coded) } }),
    ]
}
