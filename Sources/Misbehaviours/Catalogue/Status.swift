extension Misbehaviour {
    /// A valid answer but for its status.
    private static func answers(
        _ name: String, _ status: String, or alternative: Outcome? = nil, _ section: String,
        fields: String = ""
    ) -> Self {
        sends(name, "answers \(status)", .badStatus, or: alternative, section) {
            $0.answer(status: status, fields: fields)
        }
    }

    private static let switching =
        "HTTP/1.1 101 Switching Protocols\nConnection: upgrade\nUpgrade: x\n\n"

    private static func redirects(_ name: String, to target: String) -> Self {
        sends(name, "redirects to \(target)", .badStatus, "RFC 9110 §15.4") {
            $0.answer(status: "301 Moved Permanently", fields: "Location: \(target)\n")
        }
    }

    private static func asks(_ name: String, for scheme: String) -> Self {
        sends(name, "asks for \(scheme)", .badStatus, "RFC 9110 §11.6.1") {
            $0.answer(status: "401 Unauthorized", fields: "WWW-Authenticate: \(scheme)\n")
        }
    }

    /// Those whose answer has another status than 200.
    package static let status = [
        Self(
            "switches-protocols", "answers 101 Switching Protocols, unasked, and is silent",
            .badStatus, or: .late, "RFC 9110 §15.2.2"
        ) { peer in
            _ = peer.request()
            peer.send(lines: switching)
            peer.waitForClose()
        },
        sends(
            "switches-protocols-and-closes", "answers 101 Switching Protocols, unasked",
            .badStatus, or: .cutOff, "RFC 9110 §15.2.2"
        ) { _ in switching },
        answers("created", "201 Created", or: .answer, "RFC 9110 §15.3.2"),
        sends("no-content", "answers 204 No Content", .badStatus, "RFC 9110 §15.3.5") { _ in
            "HTTP/1.1 204 No Content\n\n"
        },
        answers("no-content-with-content", "204 No Content", "RFC 9112 §6.3"),
        answers("reset-content", "205 Reset Content", "RFC 9110 §15.3.6"),
        answers(
            "partial-content", "206 Partial Content", or: .answer, "RFC 9110 §15.3.7",
            fields: "Content-Range: bytes 0-15/99\n"),
        answers("multiple-choices", "300 Multiple Choices", "RFC 9110 §15.4.1"),
        redirects("redirects-to-root", to: "/"),
        redirects("redirects-to-itself", to: "/echo?msg=Hello"),
        redirects("redirects-to-nobody", to: "http://127.0.0.1:1/"),
        redirects("redirects-to-malformed-url", to: "//%zz/"),
        redirects("redirects-to-ftp", to: "ftp://127.0.0.1/"),
        redirects("redirects-to-file", to: "file:///etc/hostname"),
        redirects("redirects-to-nothing", to: ""),
        answers("redirects-without-location", "302 Found", "RFC 9110 §15.4.3"),
        sends("not-modified", "answers 304 Not Modified", .badStatus, "RFC 9110 §15.4.5") { _ in
            "HTTP/1.1 304 Not Modified\n\n"
        },
        answers("not-modified-with-content", "304 Not Modified", "RFC 9112 §6.3"),
        asks("asks-for-basic", for: "Basic realm=\"x\""),
        asks("asks-for-digest", for: "Digest realm=\"x\", nonce=\"y\""),
        asks("asks-for-bearer", for: "Bearer"),
        answers("not-found", "404 Not Found", "RFC 9110 §15.5.5"),
        answers(
            "asks-for-proxy-password", "407 Proxy Authentication Required", "RFC 9110 §15.5.8",
            fields: "Proxy-Authenticate: Basic realm=\"x\"\n"),
        answers(
            "request-timeout", "408 Request Timeout", "RFC 9110 §15.5.9",
            fields: "Connection: close\n"),
        answers(
            "too-many-requests", "429 Too Many Requests", "RFC 6585 §4",
            fields: "Retry-After: 3600\n"),
        answers("internal-server-error", "500 Internal Server Error", "RFC 9110 §15.6.1"),
        answers(
            "retry-after", "503 Service Unavailable", "RFC 9110 §10.2.3",
            fields: "Retry-After: 3600\n"),
        answers("status-600", "600 Odd", "RFC 9110 §15"),
        answers("status-999", "999 Odd", "RFC 9110 §15"),
    ]
}
