import HTTPTypes

/// The rules that a request must satisfy before any handler sees it, in the order of RFC 9112.
///
/// libmicrohttpd 0.9.75 accepts most violations, and with them request smuggling: two servers that
/// disagree about where a message ends.
enum Framing {
    /// Throws why the request of this head is rejected.
    static func check(_ head: RequestHead) throws(HTTPError) {
        try checkTarget(head)
        try checkHeaderSection(head)
        try checkHost(head)
        try checkContent(head)
    }

    static var contentTooLarge: HTTPError {
        HTTPError(.contentTooLarge, details: "The limit of content is \(Limits.content) bytes.")
    }

    private static func checkTarget(_ head: RequestHead) throws(HTTPError) {
        guard head.method != nil else { throw .badRequest("The method is not a token.") }
        guard head.target.size <= Limits.target else {
            throw HTTPError(
                .uriTooLong, details: "The limit of a target is \(Limits.target) bytes.")
        }
        guard head.target.isValid else {
            throw .badRequest(
                "The target must be a path, or a URL with one, without spaces, controls and '#'.")
        }
    }

    private static func checkHeaderSection(_ head: RequestHead) throws(HTTPError) {
        let section = head.headerSection
        guard section.size <= Limits.headerSection, section.count <= Limits.fields else {
            throw HTTPError(
                .requestHeaderFieldsTooLarge,
                details: "The limits of a header section are \(Limits.headerSection) bytes and "
                    + "\(Limits.fields) fields.")
        }
        // libmicrohttpd notes each field in 64 bytes, and needs some 2 KiB for the response.
        guard head.size + 64 * section.count <= Limits.connectionMemory - 2048 else {
            throw HTTPError(
                .requestHeaderFieldsTooLarge,
                details: "With its method and the empty lines before it, the head is too large.")
        }
        guard head.isReadAsSent else {
            throw .badRequest("A line is folded, has a NUL or no name, or does not end in CRLF.")
        }
        guard section.isValid else {
            throw .badRequest("A field has a name that is no token, or a control character.")
        }
    }

    /// RFC 9112 §3.2.
    private static func checkHost(_ head: RequestHead) throws(HTTPError) {
        let host = head.headerSection.last("host")
        guard host.count == 1 || host.count == 0 && head.isVersion1_0 else {
            throw .badRequest("There must be one Host.")
        }
        guard Authority(host.value) != nil else {
            throw .badRequest("The Host must be a name or an address, with or without a port.")
        }
    }

    /// RFC 9112 §6.3, without the leniency that it allows.
    private static func checkContent(_ head: RequestHead) throws(HTTPError) {
        let coding = head.headerSection.last("transfer-encoding")
        let length = head.headerSection.last("content-length")
        guard
            coding.count == 0
                || coding.count == 1 && coding.value.span.equalsIgnoringCase("chunked".utf8.span)
        else { throw .badRequest("The only Transfer-Encoding is chunked, once.") }
        guard coding.count == 0 || length.count == 0 && !head.isVersion1_0 else {
            throw .badRequest("Transfer-Encoding needs HTTP/1.1 and no Content-Length beside it.")
        }
        guard length.count <= 1 else { throw .badRequest("There must be one Content-Length.") }
        guard length.count == 1 else { return }
        guard !length.value.isEmpty, length.value.allSatisfy(\.isDigit) else {
            throw .badRequest("The Content-Length is not a number.")
        }
        // Content a little too long is read first, unless the client waits for 100 Continue.
        let isExpecting = head.headerSection.last("expect").count > 0
        let limit = isExpecting ? Limits.content : Limits.discardedContent
        guard let size = Int(String(decoding: length.value, as: UTF8.self)), size <= limit else {
            throw contentTooLarge
        }
    }
}

extension HTTPError {
    fileprivate static func badRequest(_ details: String) -> Self {
        Self(.badRequest, details: details)
    }
}
