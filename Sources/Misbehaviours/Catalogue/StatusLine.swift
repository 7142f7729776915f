extension Misbehaviour {
    /// The right answer after another status line than `HTTP/1.1 200 OK`.
    private static func says(
        _ name: String, _ line: String, _ outcome: Outcome, or alternative: Outcome? = nil,
        _ section: String
    ) -> Self {
        sends(name, "says \(line)", outcome, or: alternative, section) {
            $0.answer(head: "\(line)\nContent-Length: \($0.length)\n")
        }
    }

    /// Those whose answer does not begin as one does, or not as one usually does.
    package static let statusLine = [
        sends("garbage", "answers garbage", .badAnswer, "RFC 9112 §4") { _ in "garbage\n\n" },
        sends("http-0-9", "answers as HTTP/0.9 does", .badAnswer, "RFC 9112 §4") { $0.json },
        says("no-version", "200 OK", .badAnswer, "RFC 9112 §4"),
        says("icy", "ICY 200 OK", .badAnswer, "RFC 9112 §4"),
        says("lowercase-version", "http/1.1 200 OK", .badAnswer, or: .answer, "RFC 9112 §2.3"),
        says(
            "lowercase-version-of-error", "http/1.1 500 Internal Server Error", .badAnswer,
            or: .badStatus, "RFC 9112 §2.3"),
        says("version-1-2", "HTTP/1.2 200 OK", .badAnswer, or: .answer, "RFC 9110 §2.5"),
        says("version-2", "HTTP/2 200 OK", .badAnswer, "RFC 9112 §2.3"),
        says("version-2-alone", "HTTP/2 200", .badAnswer, "RFC 9112 §2.3"),
        says("version-2-0", "HTTP/2.0 200 OK", .badAnswer, "RFC 9112 §2.3"),
        says("version-of-letters", "HTTP/x.1 200 OK", .badAnswer, "RFC 9112 §2.3"),
        says("version-9-9", "HTTP/9.9 200 OK", .badAnswer, "RFC 9110 §2.5"),
        says("version-11-1", "HTTP/11.1 200 OK", .badAnswer, "RFC 9112 §2.3"),
        says("no-space-after-version", "HTTP/1.1200 OK", .badAnswer, "RFC 9112 §4"),
        says("no-status-code", "HTTP/1.1 OK", .badAnswer, "RFC 9112 §4"),
        says("status-of-two-digits", "HTTP/1.1 20 OK", .badAnswer, "RFC 9112 §4"),
        says("status-of-four-digits", "HTTP/1.1 2000 OK", .badAnswer, "RFC 9112 §4"),
        says("negative-status", "HTTP/1.1 -200 OK", .badAnswer, "RFC 9112 §4"),
        says("status-000", "HTTP/1.1 000 OK", .badAnswer, or: .badStatus, "RFC 9110 §15"),
        Self("http-2-preface", "answers with the preface of HTTP/2", .badAnswer, "RFC 9113 §3.4") {
            peer in
            _ = peer.request()
            peer.send(lines: "PRI * HTTP/2.0\n\nSM\n\n")
        },
        Self("http-2-settings", "answers with a frame of HTTP/2", .badAnswer, "RFC 9113 §3.4") {
            peer in
            _ = peer.request()
            peer.send([0, 0, 0, 4, 0, 0, 0, 0, 0])
        },
        Self("tls-alert", "answers with an alert of TLS", .badAnswer, "RFC 9112 §4") { peer in
            _ = peer.request()
            peer.send([21, 3, 1, 0, 2, 2, 22])
        },
        Self("smtp-greeting", "greets as a mail server does", .badAnswer, "RFC 9112 §4") { peer in
            peer.send(lines: "220 mail.example ESMTP\n")
            _ = peer.request()
        },
        says("no-reason-phrase", "HTTP/1.1 200 ", .answer, "RFC 9112 §4"),
        says("no-space-after-status", "HTTP/1.1 200", .answer, or: .badAnswer, "RFC 9112 §4"),
        says("odd-reason-phrase", "HTTP/1.1 200 N\u{f6}t 404 Found", .answer, "RFC 9112 §4"),
        sends("version-1-0", "speaks HTTP/1.0", .answer, "RFC 9110 §2.5") {
            $0.answer(head: "HTTP/1.0 200 OK\n")
        },
        sends("continues-first", "answers 100 Continue first", .answer, "RFC 9110 §15.2.1") {
            "HTTP/1.1 100 Continue\n\n" + $0.answer()
        },
        sends("hints-early", "answers 103 Early Hints first", .answer, "RFC 8297 §2") {
            "HTTP/1.1 103 Early Hints\nLink: </x>\n\n" + $0.answer()
        },
        sends("interim-199", "answers 199 first, which means nothing", .answer, "RFC 9110 §15.2") {
            "HTTP/1.1 199 Odd\n\n" + $0.answer()
        },
        sends(
            "empty-line-first", "sends an empty line before its status line", .badAnswer,
            or: .answer, "RFC 9112 §2.2"
        ) { "\n" + $0.answer() },
    ]
}
