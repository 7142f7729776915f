import Glibc

extension Misbehaviour {
    /// Takes the request, sends `start`, and then `more` again and again until the client has
    /// closed.
    private static func drips(
        _ name: String, _ summary: String, _ section: String, every milliseconds: UInt32 = 10,
        _ start: String, _ more: String
    ) -> Self {
        Self(name, summary, .late, section) { peer in
            _ = peer.request()
            peer.send(lines: start)
            // The pace is the misbehaviour.
            while peer.send(lines: more) { usleep(milliseconds * 1000) }
        }
    }

    /// Takes the request, sends `text`, and then nothing.
    private static func stalls(
        _ name: String, _ summary: String, _ section: String,
        _ text: @escaping @Sendable (Echo) -> String
    ) -> Self {
        Self(name, summary, .late, section) { peer in
            peer.send(lines: text(peer.echo()))
            peer.waitForClose()
        }
    }

    /// Those that take all the time that there is.
    package static let slow = [
        stalls("is-silent", "is silent", "RFC 9112 §9.5") { _ in "" },
        Self("never-reads", "accepts the connection and never reads", .late, "RFC 9112 §9.5") {
            peer in
            // Until the client has closed, which nothing but a failed send tells without a read.
            peer.waitForCloseUnread()
        },
        drips(
            "drips-status-line", "drips its status line by the byte", "RFC 9112 §9.5",
            "HTTP/1.1 200 ", "x"),
        drips(
            "drips-header-lines", "drips its header section by the line", "RFC 9112 §9.5",
            "HTTP/1.1 200 OK\n", "X-Drip: 1\n"),
        drips(
            "drips-header-bytes", "drips its header section by the byte", "RFC 9112 §9.5",
            "HTTP/1.1 200 OK\nX-Drip: ", "x"),
        drips(
            "drips-interim-responses", "drips interim responses", "RFC 9110 §15.2", every: 20,
            "", "HTTP/1.1 100 Continue\n\n"),
        drips(
            "drips-body", "drips its body", "RFC 9112 §9.5",
            "HTTP/1.1 200 OK\nContent-Length: 1000\n\n", " "),
        drips(
            "drips-by-the-second", "sends a byte of its body a second", "RFC 9112 §9.5",
            every: 1000, "HTTP/1.1 200 OK\nContent-Length: 1000\n\n", " "),
        drips(
            "drips-body-without-length", "drips a body of no declared length", "RFC 9112 §6.3",
            "HTTP/1.1 200 OK\n\n", " "),
        drips(
            "drips-chunks", "drips its body in chunks of one byte", "RFC 9112 §9.5",
            "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n", "1\n \n"),
        drips(
            "drips-chunk-extension", "drips a chunk extension", "RFC 9112 §7.1.1",
            "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n10;", "x"),
        drips(
            "drips-trailer", "drips its trailer section", "RFC 9112 §7.1.2",
            "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n0\n", "X-Drip: 1\n"),
        stalls("stalls-in-body", "promises a body and is silent", "RFC 9112 §9.5") { _ in
            "HTTP/1.1 200 OK\nContent-Length: 1000\n\n"
        },
        stalls(
            "stalls-before-last-chunk", "sends its body in a chunk, and no last chunk",
            "RFC 9112 §8"
        ) { $0.chunked("\($0.hex)\n\($0.json)\n") },
        stalls("stalls-after-continue", "answers 100 Continue and is silent", "RFC 9110 §15.2.1") {
            _ in "HTTP/1.1 100 Continue\n\n"
        },
        stalls(
            "never-ends-body", "answers without a length and leaves the connection open",
            "RFC 9112 §6.3"
        ) { $0.answer(head: "HTTP/1.1 200 OK\n") },
    ]
}
