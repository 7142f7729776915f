import HTTPTypes

/// The head of a request: its first line and its header section, copied and not interpreted.
struct RequestHead: Sendable {
    /// The method; nil if it is not a token (RFC 9110 §9.1).
    let method: HTTPRequest.Method?

    /// The target.
    let target: RequestTarget

    /// The header section.
    let headerSection: HeaderSection

    /// Whether the version is HTTP/1.0.
    let isVersion1_0: Bool

    /// Whether libmicrohttpd reports all that was sent.
    let isReadAsSent: Bool

    /// Whether the content comes in chunks.
    var isChunked: Bool { headerSection.last("transfer-encoding").count > 0 }
}

/// The target of a request as it was sent (RFC 9112 §3.2).
struct RequestTarget: Sendable {
    /// The path, escapes included; the whole target if it has none.
    let path: String

    /// The query, escapes included; empty where there is none.
    let query: Query

    /// How long the target is, in bytes.
    let size: Int

    /// Whether it has a path, and no forbidden character.
    private let hasPath: Bool

    /// Takes the two sides of the first `?` of a target; `query` is nil where there is none.
    ///
    /// Byte by byte: finding, folding or comparing characters that a client has chosen, such as
    /// thousands of combining marks, takes a tenth of a second.
    init(_ text: String, query: [UInt8]?) {
        let hasQuery = query != nil
        let query = query ?? []
        self.query = Query(query)
        size = text.utf8.count + (hasQuery ? query.count + 1 : 0)
        let slash = UInt8(ascii: "/")
        let isOriginForm = text.utf8.first == slash
        let path = isOriginForm ? text : Self.path(ofAbsoluteForm: text) ?? text
        self.path = path
        hasPath =
            path.utf8.first == slash && !Self.hasForbidden(text.utf8.span)
            && !Self.hasForbidden(query.span)
    }

    /// The path behind the authority of a URL (RFC 9112 §3.2.2); nil if this is not one.
    private static func path(ofAbsoluteForm text: String) -> String? {
        let schemes: [String] = ["http://", "https://"]
        guard
            let scheme = schemes.first(where: {
                text.utf8.span.extracting(first: $0.utf8.count).equalsIgnoringCase($0.utf8.span)
            })
        else { return nil }
        let rest = text.utf8.dropFirst(scheme.utf8.count)
        let path = rest.drop { $0 != UInt8(ascii: "/") }
        guard let authority = Authority(Array(rest[..<path.startIndex])[...]), authority.hasHost
        else { return nil }
        return path.isEmpty ? "/" : String(Substring(path))
    }

    /// Bytes beyond ASCII are left to the decoding, which rejects them.
    private static func hasForbidden(_ bytes: Span<UInt8>) -> Bool {
        bytes.contains(0x7f, UInt8(ascii: "#"), below: 0x21)
    }

    /// Whether a request of `method` can have this target.
    func isValid(for method: HTTPRequest.Method) -> Bool {
        switch method {
        case .connect:
            guard size == path.utf8.count, let authority = Authority(Array(path.utf8)[...]) else {
                return false
            }
            return authority.hasHost && authority.hasPort
        case .options where path == "*": return size == 1
        default: return hasPath
        }
    }
}
