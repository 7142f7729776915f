extension Misbehaviour {
    /// A valid answer but for these lines in its header section.
    private static func has(
        _ name: String, _ summary: String, _ outcome: Outcome, or alternative: Outcome? = nil,
        _ section: String, _ fields: String
    ) -> Self {
        sends(name, summary, outcome, or: alternative, section) { $0.answer(fields: fields) }
    }

    /// Answers 500, and goes on with these bytes as they are.
    private static func fails(
        _ name: String, _ summary: String, _ section: String, _ rest: String
    ) -> Self {
        Self(name, summary, .badAnswer, or: .badStatus, section) { peer in
            _ = peer.request()
            peer.send("HTTP/1.1 500 Odd\r\n" + rest)
        }
    }

    /// Those whose header section is odd or malformed.
    package static let fields = [
        has(
            "no-space-after-colon", "has a field without a space", .answer, "RFC 9112 §5",
            "X-Field:value\n"),
        has(
            "empty-field", "has a field without a value", .answer, "RFC 9110 §5.5",
            "X-Field:\nX-Other:  \n"),
        has(
            "tab-after-colon", "has a tab after a colon", .answer, "RFC 9112 §5", "X-Field:\t1\t\n"),
        has("sets-cookie", "sets a cookie", .answer, "RFC 6265 §5.2", "Set-Cookie: a=b\n"),
        has(
            "folded-field", "folds a field over two lines", .answer, "RFC 9112 §5.2",
            "X-Field: a\n b\n"),
        sends(
            "folded-first-field", "has a folded line before any field", .badAnswer, or: .answer,
            "RFC 9112 §2.2"
        ) { "HTTP/1.1 200 OK\n\tX: a\nContent-Length: \($0.length)\n\n\($0.json)" },
        has(
            "space-before-colon", "has a space before a colon", .answer, or: .badAnswer,
            "RFC 9112 §5.1", "X-Field : a\n"),
        sends(
            "space-before-colon-of-length", "has a space before the colon of its Content-Length",
            .badAnswer, "RFC 9112 §5.1"
        ) { "HTTP/1.1 200 OK\nContent-Length : 5\n\n\($0.json)" },
        has(
            "space-in-field-name", "has a space in the name of a field", .answer, or: .badAnswer,
            "RFC 9110 §5.1", "X Field: a\n"),
        has(
            "no-colon", "has a line without a colon", .badAnswer, or: .answer, "RFC 9112 §5",
            "X-Field\n"),
        has(
            "empty-field-name", "has a field without a name", .answer, or: .badAnswer,
            "RFC 9110 §5.1", ": a\n"),
        has(
            "nul-in-field", "has a NUL in a field", .badAnswer, or: .answer, "RFC 9110 §5.5",
            "X-Field: a\0b\n"),
        has(
            "cr-in-field", "has a CR in a field", .answer, or: .badAnswer, "RFC 9112 §2.2",
            "X-Field: a\rb\n"),
        Self("latin-1-field", "has a field in Latin-1", .answer, "RFC 9110 §5.5") { peer in
            let parts = peer.echo().answer(fields: "X-Field: #\n").split(separator: "#")
            peer.send(lines: String(parts[0]))
            peer.send([0xe9, 0xff])
            peer.send(lines: String(parts[1]))
        },
        Self(
            "bare-lf", "ends its lines with LF alone", .badAnswer, or: .answer, "RFC 9112 §2.2"
        ) { peer in peer.send(peer.echo().answer()) },
        Self(
            "cr-before-end", "has a CR before the CRLF that ends its header section", .badAnswer,
            "RFC 9112 §2.2"
        ) { peer in
            peer.send("HTTP/1.1 200 OK\r\nA: b\r\n\r\r\n\(peer.echo().json)")
            peer.waitForClose()
        },
        fails(
            "bare-lf-in-error", "ends the header section of a 500 with LF alone", "RFC 9112 §2.2",
            "\n"),
        fails(
            "colon-in-error", "has a line of a colon and LF in the header section of a 500",
            "RFC 9110 §5.1", ":\n\r\n"),
        Self(
            "colon-before-error", "has a line of a colon and LF before the status line of a 500",
            .badAnswer, or: .badStatus, "RFC 9110 §15.2"
        ) { peer in
            let echo = peer.echo()
            peer.send("HTTP/1.1 103 Early Hints\r\n:\nHTTP/1.1 200 a:b\r\n\r\n")
            peer.send(lines: echo.answer(status: "500 Odd"))
        },
        sends(
            "folded-length", "folds its Content-Length over two lines", .badAnswer, or: .answer,
            "RFC 9112 §5.2"
        ) { "HTTP/1.1 200 OK\nContent-Length: \($0.length)\n 5\n\n\($0.json)" },
        has(
            "two-dates", "has a field twice that may be there once", .answer, "RFC 9110 §5.3",
            "Date: Mon, 01 Jan 2024 00:00:00 GMT\nDate: never\n"),
        has(
            "odd-connection", "has odd options of the connection", .answer, "RFC 9110 §7.6.1",
            "Connection: , ,keep-alive,x y,\nKeep-Alive: timeout=-1, max=zero\n"),
        has(
            "upgrade", "offers to upgrade the protocol", .answer, "RFC 9110 §7.8",
            "Connection: upgrade\nUpgrade: h2c, websocket\n"),
        has(
            "location-with-200", "has a Location with 200", .answer, "RFC 9110 §10.2.2",
            "Location: http://127.0.0.1:1/\nRefresh: 0;url=http://127.0.0.1:1/\n"),
    ]
}
