extension Misbehaviour {
    /// The right content after this header section.
    private static func has(
        _ name: String, _ summary: String, _ outcome: Outcome, or alternative: Outcome? = nil,
        _ section: String, _ fields: @escaping @Sendable (Echo) -> String
    ) -> Self {
        sends(name, summary, outcome, or: alternative, section) {
            $0.answer(head: "HTTP/1.1 200 OK\n\(fields($0))\n")
        }
    }

    private static func hasLength(
        _ name: String, _ summary: String, _ outcome: Outcome, or alternative: Outcome? = nil,
        _ section: String = "RFC 9112 §6.3", _ value: @escaping @Sendable (Echo) -> String
    ) -> Self {
        has(name, "has \(summary)", outcome, or: alternative, section) {
            "Content-Length: \(value($0))"
        }
    }

    /// Those that say in an odd or malformed way where their body ends.
    package static let lengths = [
        has("no-length", "has no Content-Length, and closes", .answer, "RFC 9112 §6.3") { _ in
            "X: 1"
        },
        hasLength("length-with-zeros", "a Content-Length with zeros in front", .answer) {
            "000\($0.length)"
        },
        hasLength("length-too-short", "a Content-Length that is too short", .badAnswer) { _ in "9"
        },
        hasLength("length-of-zero", "a Content-Length of 0 before its body", .badAnswer) { _ in "0"
        },
        hasLength("length-of-max-int64", "a Content-Length of 2^63 - 1", .cutOff, or: .badAnswer) {
            _ in "9223372036854775807"
        },
        hasLength(
            "length-of-2-to-64", "a Content-Length of 2^64", .badAnswer, or: .cutOff,
            "RFC 9110 §8.6"
        ) { _ in "18446744073709551616" },
        hasLength(
            "length-wraps-to-right", "a Content-Length of 2^64 more than it is", .badAnswer,
            or: .cutOff,
            "RFC 9110 §8.6"
        ) { "\((UInt128(1) << 64) + UInt128($0.length))" },
        hasLength("negative-length", "a negative Content-Length", .badAnswer) { "-\($0.length)" },
        hasLength("length-with-plus", "a Content-Length with a plus", .badAnswer) {
            "+\($0.length)"
        },
        hasLength("length-in-hex", "a Content-Length in hexadecimal", .badAnswer) { "0x\($0.hex)" },
        hasLength("length-with-fraction", "a Content-Length with a fraction", .badAnswer) {
            "\($0.length).0"
        },
        hasLength("length-with-letters", "a Content-Length with letters behind", .badAnswer) {
            "\($0.length)abc"
        },
        hasLength("length-of-two-numbers", "a Content-Length of two numbers", .badAnswer) {
            "\($0.length) 1"
        },
        hasLength("length-without-number", "a Content-Length without a number", .badAnswer) { _ in
            ""
        },
        hasLength(
            "length-list", "a Content-Length that lists a number twice", .answer, or: .badAnswer,
            "RFC 9110 §8.6"
        ) { "\($0.length), \($0.length)" },
        hasLength("length-list-differs", "a Content-Length that lists two numbers", .badAnswer) {
            "\($0.length), 9"
        },
        has(
            "length-twice", "has the same Content-Length twice", .answer, or: .badAnswer,
            "RFC 9110 §8.6"
        ) { "Content-Length: \($0.length)\nContent-Length: \($0.length)" },
        has("lengths-differ", "has two different Content-Length", .badAnswer, "RFC 9112 §6.3") {
            "Content-Length: 9\nContent-Length: \($0.length)"
        },
        has(
            "lengths-differ-later", "has two different Content-Length, the right one first",
            .badAnswer,
            "RFC 9112 §6.3"
        ) { "Content-Length: \($0.length)\nContent-Length: 9" },
    ]
}
