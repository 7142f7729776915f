extension Misbehaviour {
    /// Those whose answer is right, or might be, but for when it comes or what else does.
    package static let connections = [
        Self(
            "answers-before-request", "answers before it is asked", .badAnswer, "RFC 9112 §9.2"
        ) { peer in
            peer.send(lines: Echo(request: "").answer())
            _ = peer.request()
        },
        Self("two-answers", "answers twice, the second time wrong", .answer, "RFC 9112 §9.2") {
            peer in
            peer.send(lines: peer.echo().answer() + Echo(request: "").answer())
            peer.waitForClose()
        },
        // 20,000 spaces: the first answer alone is more than a client reads at once.
        Self(
            "two-answers-long", "answers twice, the first time at length", .answer, "RFC 9112 §9.2"
        ) { peer in
            let echo = peer.echo()
            let content = echo.json + String(repeating: " ", count: 20_000)
            peer.send(lines: echo.answer(content: content) + Echo(request: "").answer())
            peer.waitForClose()
        },
        Self(
            "second-answer-later", "answers a second time, unasked", .answer, or: .badAnswer,
            "RFC 9112 §9.2"
        ) {
            peer in
            peer.send(lines: peer.echo().answer())
            peer.waitUntilRead()
            peer.send(lines: Echo(request: "").answer())
            peer.waitForClose()
        },
        sends(
            "body-too-long", "sends more than its Content-Length", .answer, or: .badAnswer,
            "RFC 9112 §9.2"
        ) { $0.answer() + "garbage" },
        Self(
            "says-close-and-does-not", "says it closes, and does not", .answer, "RFC 9112 §9.6"
        ) { peer in
            peer.send(lines: peer.echo().answer(fields: "Connection: close\n"))
            peer.waitForClose()
        },
        sends(
            "says-keep-alive-and-closes", "says it keeps the connection, and closes", .answer,
            "RFC 9112 §9.3.1"
        ) { $0.answer(fields: "Connection: keep-alive\nKeep-Alive: timeout=60\n") },
        Self(
            "closes-when-reused", "closes a connection when it is used again", .answer,
            "RFC 9112 §9.3.1"
        ) {
            peer in
            peer.send(lines: peer.echo().answer())
            _ = peer.request()
        },
        Self(
            "resets-when-reused", "resets a connection when it is used again", .answer,
            "RFC 9112 §9.3.1"
        ) {
            peer in
            peer.send(lines: peer.echo().answer())
            _ = peer.request()
            peer.reset()
        },
        Self("resets-after-answer", "resets after its answer", .answer, "RFC 9112 §9.6") { peer in
            peer.send(lines: peer.echo().answer())
            peer.resetWhenRead()
        },
        Self("sends-by-the-byte", "sends each byte by itself", .answer, "RFC 9112 §2.2") { peer in
            let answer = peer.echo().answer().replacing("\n", with: "\r\n")
            for byte in answer.utf8 where !peer.send([byte]) { return }
        },
    ]
}
