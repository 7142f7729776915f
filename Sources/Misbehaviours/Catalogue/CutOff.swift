extension Misbehaviour {
    /// Those that end the connection before the answer is complete.
    package static let cutOff = [
        Self("closes-at-once", "closes the connection at once", .cutOff, "RFC 9112 §9.5") { _ in },
        Self("resets-at-once", "resets the connection at once", .cutOff, "RFC 9112 §9.5") { peer in
            peer.reset()
        },
        sends("closes-after-request", "closes after the request", .cutOff, "RFC 9112 §9.5") { _ in
            ""
        },
        Self("resets-after-request", "resets after the request", .cutOff, "RFC 9112 §9.5") { peer in
            _ = peer.request()
            peer.reset()
        },
        Self(
            "half-closes", "sends nothing and says so, but keeps its end open", .cutOff,
            "RFC 9112 §9.5"
        ) { peer in
            _ = peer.request()
            peer.endSending()
            peer.waitForClose()
        },
        sends(
            "closes-inside-status-line", "closes inside the status line", .cutOff, "RFC 9112 §8"
        ) { _ in "HTTP/1.1 2" },
        sends(
            "closes-after-status-line", "closes after the status line", .cutOff, "RFC 9112 §8"
        ) { _ in "HTTP/1.1 200 OK\n" },
        sends(
            "closes-inside-header-section", "closes inside the header section", .cutOff,
            "RFC 9112 §8"
        ) { "HTTP/1.1 200 OK\nContent-Length: \($0.length)\n" },
        Self(
            "resets-inside-header-section", "resets inside the header section", .cutOff,
            "RFC 9112 §8"
        ) { peer in
            _ = peer.request()
            peer.send(lines: "HTTP/1.1 200 OK\nContent-")
            peer.resetWhenRead()
        },
        sends("closes-after-continue", "closes after 100 Continue", .cutOff, "RFC 9110 §15.2") {
            _ in "HTTP/1.1 100 Continue\n\n"
        },
        sends("closes-inside-body", "closes inside the body", .cutOff, "RFC 9112 §8") { _ in
            "HTTP/1.1 200 OK\nContent-Length: 99\n\n{\"echo\""
        },
        sends(
            "closes-a-byte-early", "sends one byte less than its Content-Length", .cutOff,
            "RFC 9112 §8"
        ) { $0.answer(head: "HTTP/1.1 200 OK\nContent-Length: \($0.length + 1)\n") },
        Self("resets-inside-body", "resets inside the body", .cutOff, "RFC 9112 §8") { peer in
            _ = peer.request()
            peer.send(lines: "HTTP/1.1 200 OK\nContent-Length: 1000\n\n{")
            peer.resetWhenRead()
        },
        sends("closes-inside-chunk-size", "closes inside a chunk size", .cutOff, "RFC 9112 §8") {
            $0.chunked("1")
        },
        sends("closes-inside-chunk", "closes inside a chunk", .cutOff, "RFC 9112 §8") {
            $0.chunked("40\n{\"echo\"")
        },
        sends(
            "closes-before-last-chunk", "sends its body in a chunk, and closes without a last one",
            .cutOff, "RFC 9112 §8"
        ) { $0.chunked("\($0.hex)\n\($0.json)\n") },
        sends(
            "closes-after-last-chunk", "closes after the last chunk's line", .cutOff, "RFC 9112 §8"
        ) { $0.chunked("\($0.hex)\n\($0.json)\n0\n") },
        sends("closes-inside-trailer", "closes inside the trailer section", .cutOff, "RFC 9112 §8")
        {
            $0.chunked("\($0.hex)\n\($0.json)\n0\nX-T: 1\n")
        },
        Self("closes-before-last-lf", "closes before the last LF", .cutOff, "RFC 9112 §8") { peer in
            let echo = peer.echo()
            peer.send(lines: echo.chunked("\(echo.hex)\n\(echo.json)\n0\n"))
            peer.send("\r")
        },
    ]
}
