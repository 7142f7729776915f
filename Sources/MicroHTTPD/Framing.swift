import HTTPTypes

/// What is refused before any handler sees it, in the order of RFC 9112.
///
/// libmicrohttpd 0.9.75 lets most of it pass, and with that the smuggling of requests: what two
/// servers take for the end of one message is not the same.
enum Framing {
    /// How long a target may be, in bytes.
    static let targetLimit = 8 * 1024

    /// How long a header section may be, in bytes; with the target, less than libmicrohttpd has
    /// memory for.
    static let headerSectionLimit = 8 * 1024

    /// How many fields a header section may have.
    static let fieldLimit = 64

    /// How long content may be, in bytes.
    static let contentLimit = 64 * 1024

    /// How much content is read and discarded, so that a client that is still sending gets to read
    /// why it was refused, in bytes.
    static let discardLimit = 8 * 1024 * 1024

    /// Throws the refusal of a request that must not be answered otherwise.
    static func check(
        isReadAsSent: Bool, method: HTTPRequest.Method?, target: RequestTarget,
        headerSection: HeaderSection, isVersion1_0: Bool
    ) throws(HTTPError) {
        guard let method else { throw .badRequest("The method is not a token.") }
        guard target.size <= targetLimit else {
            throw HTTPError(.uriTooLong, details: "The target may have \(targetLimit) bytes.")
        }
        guard target.isValid(for: method) else {
            throw .badRequest(
                "The target must be a path, or a URL with one, without spaces, controls and '#'.")
        }
        guard headerSection.size <= headerSectionLimit, headerSection.count <= fieldLimit else {
            throw HTTPError(
                .requestHeaderFieldsTooLarge,
                details: "The header section may have \(headerSectionLimit) bytes and "
                    + "\(fieldLimit) fields.")
        }
        guard memory(of: headerSection) + target.size <= connectionMemory - 2048 else {
            throw HTTPError(
                .requestHeaderFieldsTooLarge, details: "The cookies are too large, or too many.")
        }
        guard isReadAsSent else {
            throw .badRequest("A line is folded, has a NUL or no name, or does not end in CRLF.")
        }
        guard headerSection.isValid else {
            throw .badRequest("A field has a name that is no token, or a control character.")
        }
        let hosts = headerSection.values("host")
        guard hosts.count == 1 || hosts.isEmpty && isVersion1_0 else {
            throw .badRequest("There must be one Host.")
        }
        guard hosts.allSatisfy({ Authority($0.utf8) != nil }) else {
            throw .badRequest("The Host must be a name or an address, with or without a port.")
        }
        try checkContent(headerSection, isVersion1_0: isVersion1_0)
    }

    /// What libmicrohttpd needs for a header section, in bytes, some 2 KiB of which must be left for
    /// the response: 64 for each field and each cookie, which it copies.
    private static func memory(of headerSection: HeaderSection) -> Int {
        let cookies = headerSection.values("cookie")
        let count = cookies.reduce(0) { $0 + $1.utf8.count { $0 == UInt8(ascii: ";") } + 1 }
        return headerSection.size + cookies.reduce(0) { $0 + $1.utf8.count }
            + 64 * (headerSection.count + count)
    }

    /// RFC 9112 §6.3, but for what it leaves to a server's leniency.
    private static func checkContent(
        _ headerSection: HeaderSection, isVersion1_0: Bool
    ) throws(HTTPError) {
        let codings = headerSection.values("transfer-encoding")
        let lengths = headerSection.values("content-length")
        guard codings.isEmpty || codings.count == 1 && codings[0].isChunked else {
            throw .badRequest("The only Transfer-Encoding is chunked, once.")
        }
        guard codings.isEmpty || lengths.isEmpty && !isVersion1_0 else {
            throw .badRequest("Transfer-Encoding needs HTTP/1.1 and no Content-Length beside it.")
        }
        guard lengths.count <= 1 else { throw .badRequest("There must be one Content-Length.") }
        guard let text = lengths.first else { return }
        guard !text.isEmpty, text.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 })
        else { throw .badRequest("The Content-Length is not a number.") }
        // What is a little too long is read first, unless the client waits for a word.
        let limit = headerSection.values("expect").isEmpty ? discardLimit : contentLimit
        guard let length = Int(text), length <= limit else { throw contentTooLarge }
    }

    /// The refusal of content beyond the limit.
    static var contentTooLarge: HTTPError {
        HTTPError(.contentTooLarge, details: "The content may have \(contentLimit) bytes.")
    }
}

extension HTTPError {
    fileprivate static func badRequest(_ details: String) -> Self {
        Self(.badRequest, details: details)
    }
}

extension String {
    /// By its bytes: `lowercased()` makes a `k` of the Kelvin sign.
    fileprivate var isChunked: Bool {
        utf8.count == 7 && zip(utf8, "chunked".utf8).allSatisfy { $0 | 0x20 == $1 }
    }
}
