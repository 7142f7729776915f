import HTTPTypes

/// The head of a request: its first line, parsed, and its header section.
struct RequestHead: Sendable {
    /// The method; nil if it is not a token (RFC 9110 §9.1).
    let method: HTTPRequest.Method?

    let target: RequestTarget
    let headerSection: HeaderSection
    let isVersion1_0: Bool

    /// How long it is, with the empty lines before it, in bytes.
    let size: Int

    /// Whether libmicrohttpd reports all that was sent.
    let isReadAsSent: Bool

    var isChunked: Bool { headerSection.last("transfer-encoding").count > 0 }
}

/// The target of a request (RFC 9112 §3.2).
struct RequestTarget: Sendable {
    /// The path, escapes included; the whole target if it has none.
    let path: String

    /// The query, escapes included; empty where there is none.
    let query: Query

    /// How long the target is, in bytes; a byte that is not UTF-8 counts as three.
    let size: Int

    /// Whether a request of its method can have it.
    let isValid: Bool

    /// Takes the two sides of the first `?` of a target; `query` is nil where there is none.
    ///
    /// Byte by byte: finding, folding or comparing characters that a client has chosen, such as
    /// thousands of combining marks, takes a tenth of a second.
    init(_ text: String, query: [UInt8]?, of method: HTTPRequest.Method?) {
        let hasQuery = query != nil
        let query = query ?? []
        size = text.utf8.count + (hasQuery ? query.count + 1 : 0)
        let slash = UInt8(ascii: "/")
        path = text.utf8.first == slash ? text : Self.path(ofAbsoluteForm: text) ?? text
        switch method {
        case .connect:
            let authority = Authority(Array(text.utf8)[...])
            isValid = !hasQuery && authority?.hasHost == true && authority?.hasPort == true
        case .options where text == "*":
            isValid = !hasQuery
        default:
            isValid =
                path.utf8.first == slash && !Self.hasForbidden(text.utf8.span)
                && !Self.hasForbidden(query.span)
        }
        self.query = Query(query)
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
}

/// A host and a port, as in `Host`, in a target in absolute form and in that of `CONNECT`
/// (RFC 3986 §3.2).
struct Authority {
    let hasHost: Bool
    let hasPort: Bool

    /// Parses `text`; nil if it is not an authority, or has a user in it.
    init?(_ text: ArraySlice<UInt8>) {
        var host = text
        var port: ArraySlice<UInt8> = []
        // A colon before a bracket belongs to the address.
        if let colon = host.lastIndex(of: UInt8(ascii: ":")),
            !host[colon...].contains(UInt8(ascii: "]"))
        {
            port = host[colon...].dropFirst()
            host = host[..<colon]
        }
        guard port.allSatisfy(\.isDigit) else { return nil }
        hasHost = !host.isEmpty
        hasPort = !port.isEmpty
        if host.first == UInt8(ascii: "[") {
            // IPvFuture is rejected: there is none.
            guard host.last == UInt8(ascii: "]"), Socket.isIPv6(host.dropFirst().dropLast()) else {
                return nil
            }
        } else {
            guard Self.isName(host) else { return nil }
        }
    }

    private static func isName(_ name: ArraySlice<UInt8>) -> Bool {
        let allowed = ASCIISet.hostName
        for index in name.indices where !allowed.contains(name[index]) {
            let digits = name[index...].dropFirst().prefix(2)
            guard name[index] == UInt8(ascii: "%"), digits.count == 2,
                digits.allSatisfy({ $0.hexValue != nil })
            else { return false }
        }
        return true
    }
}
