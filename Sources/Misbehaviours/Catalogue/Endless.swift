extension Misbehaviour {
    /// Takes the request, sends `start`, and then `more` until the client has closed.
    private static func goesOn(
        _ name: String, _ summary: String, _ section: String,
        _ start: @escaping @Sendable (Echo) -> String, _ more: some Collection<UInt8>,
        _ outcome: Outcome = .badAnswer
    ) -> Self {
        let much = Array(repeatElement(more, count: 65_536 / more.count).joined())
        return Self(name, summary, outcome, or: .late, section) { peer in
            // At once: so no client can take a connection for idle that is not.
            peer.send(lines: start(peer.echo()), and: much)
            while peer.send(much) {}
        }
    }

    /// Those whose answer has no end, and comes as fast as it can.
    package static let endless = [
        goesOn(
            "endless-garbage", "sends bytes that are not HTTP without end", "RFC 9112 §2.1",
            { _ in "" }, "x".utf8),
        goesOn(
            "endless-empty-lines", "sends empty lines before its status line without end",
            "RFC 9112 §2.2", { _ in "" }, "\r\n".utf8),
        goesOn(
            "endless-status-line", "sends a reason phrase without end", "RFC 9112 §4",
            { _ in "HTTP/1.1 200 " }, "x".utf8),
        goesOn(
            "endless-fields", "sends header fields without end", "RFC 9110 §5.4",
            { _ in "HTTP/1.1 200 OK\n" }, "A: b\r\n".utf8),
        goesOn(
            "endless-field-name", "sends the name of a field without end", "RFC 9110 §5.4",
            { _ in "HTTP/1.1 200 OK\n" }, "x".utf8),
        goesOn(
            "endless-field-value", "sends the value of a field without end", "RFC 9110 §5.4",
            { _ in "HTTP/1.1 200 OK\nX: " }, "x".utf8),
        goesOn(
            "endless-interim-responses", "sends interim responses without end", "RFC 9110 §15.2",
            { _ in "" }, "HTTP/1.1 100 Continue\r\n\r\n".utf8),
        goesOn(
            "endless-body", "sends a body of no declared length without end", "RFC 9110 §17.5",
            { _ in "HTTP/1.1 200 OK\n\n" }, " ".utf8),
        goesOn(
            "endless-error", "answers 500 with a body without end", "RFC 9110 §17.5",
            { _ in "HTTP/1.1 500 Internal Server Error\n\n" }, " ".utf8, .badStatus),
        goesOn(
            "endless-no-content", "answers 204 No Content, and sends content without end",
            "RFC 9112 §6.3", { _ in "HTTP/1.1 204 No Content\n\n" }, " ".utf8, .badStatus),
        goesOn(
            "endless-chunk-size", "sends the zeros of a chunk size without end", "RFC 9112 §7.1",
            { $0.chunked("") }, "0".utf8),
        goesOn(
            "endless-chunk-extension", "sends a chunk extension without end", "RFC 9112 §7.1.1",
            { $0.chunked("10;") }, "x".utf8),
        goesOn(
            "endless-chunks", "sends chunks of one byte without end", "RFC 9110 §17.5",
            { $0.chunked("") }, "1\r\n \r\n".utf8),
        goesOn(
            "endless-trailer", "sends trailer fields without end", "RFC 9112 §7.1.2",
            { $0.chunked("\($0.hex)\n\($0.json)\n0\n") }, "A: b\r\n".utf8),
        // Four blocks that have nothing but their end (RFC 1951 §3.2.6).
        goesOn(
            "endless-empty-blocks", "answers in deflate without end that holds nothing",
            "RFC 9110 §17.5", { _ in "HTTP/1.1 200 OK\nContent-Encoding: deflate\n\n" },
            [0x02, 0x08, 0x20, 0x80, 0x00]),
    ]
}
