extension Misbehaviour {
    /// A valid answer of HTTP with this content.
    private static func answers(
        _ name: String, _ summary: String, _ outcome: Outcome, or alternative: Outcome? = nil,
        _ section: String, _ content: @escaping @Sendable (Echo) -> String
    ) -> Self {
        sends(name, summary, outcome, or: alternative, section) {
            $0.answer(content: content($0))
        }
    }

    /// The same for content that is not UTF-8.
    private static func answers(
        _ name: String, _ summary: String, _ outcome: Outcome, or alternative: Outcome? = nil,
        _ section: String, bytes: @escaping @Sendable (Echo) -> [UInt8]
    ) -> Self {
        Self(name, summary, outcome, or: alternative, section) { peer in
            let content = bytes(peer.echo())
            peer.send(lines: "HTTP/1.1 200 OK\nContent-Length: \(content.count)\n\n")
            peer.send(content)
        }
    }

    /// No misbehaviour: the right answer.
    ///
    /// It says that it closes, or else the next request could come before that.
    package static let plain = sends("plain", "answers", .answer, "RFC 9110 §15.3.1") {
        $0.answer(fields: "Connection: close\n")
    }

    /// Those whose content is not `{"echo":"…"}`, or not as it usually is.
    ///
    /// A client that does not read content, such as curl, takes them all for answers.
    package static let content = [
        plain,
        answers("says-more", "says more than it has to", .answer, "RFC 8259 §4") {
            "{\"a\":1,\($0.json.dropFirst().dropLast())} "
        },
        answers("escapes-all", "escapes every letter", .answer, "RFC 8259 §7") { echo in
            let escapes = echo.message.utf16.map { unit in
                let digits = String(unit, radix: 16)
                return "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
            }
            return "{\"\\u0065cho\":\"\(escapes.joined())\"}"
        },
        sends("wrong-content-type", "says its JSON is text/html", .answer, "RFC 9110 §8.3") {
            $0.answer(fields: "Content-Type: text/html; charset=utf-16\n")
        },
        answers("empty", "answers nothing", .badAnswer, "RFC 8259 §2") { _ in "" },
        answers("no-json", "answers no JSON", .badAnswer, "RFC 8259 §2", { $0.message }),
        answers("html", "answers a page", .badAnswer, "RFC 8259 §2") { _ in
            "<!DOCTYPE html><title>502 Bad Gateway</title>"
        },
        answers("other-json", "answers other JSON", .badAnswer, "RFC 8259 §4") { _ in "{\"a\":1}" },
        answers("array", "answers an array", .badAnswer, "RFC 8259 §5") { "[\($0.json)]" },
        answers("null", "answers null", .badAnswer, "RFC 8259 §3") { _ in "{\"echo\":null}" },
        answers("number", "answers a number", .badAnswer, "RFC 8259 §6") { _ in "{\"echo\":1}" },
        answers("other-message", "answers another message", .badAnswer, "RFC 9112 §9.2") {
            Echo.json($0.message.uppercased() + "?")
        },
        answers("cut-json", "answers JSON that is cut short", .badAnswer, "RFC 8259 §4") {
            String($0.json.dropLast())
        },
        answers("two-json-texts", "answers two JSON texts", .badAnswer, "RFC 8259 §2") {
            $0.json + Echo.json("other")
        },
        answers("trailing-comma", "has a comma before its bracket", .badAnswer, "RFC 8259 §4") {
            $0.json.dropLast() + ",}"
        },
        answers("nan", "has a number that is none", .badAnswer, "RFC 8259 §6") {
            $0.json.dropLast() + ",\"a\":NaN}"
        },
        answers("leading-zero", "has a number with a zero in front", .badAnswer, "RFC 8259 §6") {
            $0.json.dropLast() + ",\"a\":01}"
        },
        answers("bad-escape", "has an escape that is none", .badAnswer, "RFC 8259 §7") {
            $0.json.dropLast() + ",\"a\":\"\\x41\"}"
        },
        answers("huge-number", "has a number of 10^999999", .answer, or: .badAnswer, "RFC 8259 §6")
        {
            $0.json.dropLast() + ",\"a\":1e999999}"
        },
        answers(
            "duplicate-keys", "has a key twice, the right value last", .badAnswer, or: .answer,
            "RFC 8259 §4"
        ) { "{\"echo\":\"other\",\($0.json.dropFirst())" },
        answers(
            "deep-nesting", "nests 30,000 arrays", .badAnswer, or: .answer, "RFC 8259 §9"
        ) {
            $0.json.dropLast() + ",\"a\":" + String(repeating: "[", count: 30_000)
                + String(repeating: "]", count: 30_000) + "}"
        },
        answers("combining-marks", "has a key of 30,000 combining marks", .answer, "RFC 8259 §7") {
            let marks = ["\u{345}", "\u{334}"].map { String(repeating: $0, count: 15_000) }
            return "{\"a\(marks.joined())\":1,\($0.json.dropFirst())"
        },
        answers("nul-in-json", "has a NUL in a string", .badAnswer, "RFC 8259 §7") {
            $0.json.dropLast() + ",\"a\":\"\0\"}"
        },
        answers("nul-after-json", "has a NUL behind its JSON", .badAnswer, "RFC 8259 §2") {
            $0.json + "\0"
        },
        answers("escaped-nul", "has a NUL behind the message", .badAnswer, "RFC 8259 §7") {
            $0.json.dropLast(2) + "\\u0000\"}"
        },
        answers("lone-surrogate", "has half a surrogate pair", .badAnswer, "RFC 8259 §8.2") {
            $0.json.dropLast(2) + "\\ud800\"}"
        },
        answers("not-utf-8", "has a byte that is not UTF-8", .badAnswer, "RFC 8259 §8.1") {
            Array($0.json.utf8.dropLast(2)) + [0xff] + Array("\"}".utf8)
        },
        answers(
            "byte-order-mark", "has a byte order mark", .badAnswer, or: .answer, "RFC 8259 §8.1"
        ) { "\u{feff}" + $0.json },
        answers("utf-16", "answers in UTF-16", .badAnswer, or: .answer, "RFC 8259 §8.1") {
            ($0.json.utf16).flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
        },
    ]
}
