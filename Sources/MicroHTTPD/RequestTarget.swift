import HTTPTypes

/// The target of a request as it was sent (RFC 9112 §3.2).
struct RequestTarget: Sendable {
    /// The path, escapes included; a target that has none is all here.
    let path: String

    /// The query, escapes included; empty where there is none.
    let query: [UInt8]

    /// How long the target is, in bytes.
    let size: Int

    /// Whether it has a path, and no character that no target can have.
    private let hasPath: Bool

    /// Takes a target apart that libmicrohttpd or the shim has cut at the `?`.
    ///
    /// Byte by byte: to find, fold or compare characters that a client has chosen, thousands of
    /// combining marks for instance, takes a tenth of a second.
    init(_ text: String, query: [UInt8]?) {
        self.query = query ?? []
        let slash = UInt8(ascii: "/")
        let bytes = text.utf8
        size = bytes.count + (query.map { $0.count + 1 } ?? 0)
        var rest = bytes[...]
        var hasHost = true
        if bytes.first != slash {
            for scheme in ["http://", "https://"].map(\.utf8)
            where bytes.count > scheme.count && zip(bytes, scheme).allSatisfy({ $0 | 0x20 == $1 }) {
                // In the absolute form, the path begins behind the authority.
                let authority = bytes.dropFirst(scheme.count).prefix { $0 != slash }
                hasHost = Authority(authority)?.hasHost ?? false
                if !authority.isEmpty { rest = bytes[authority.endIndex...] }
            }
        }
        path = rest.isEmpty && !bytes.isEmpty ? "/" : String(Substring(rest))
        hasPath =
            hasHost && path.utf8.first == slash && bytes.allSatisfy(\.isTargetCharacter)
            && self.query.allSatisfy(\.isTargetCharacter)
    }

    /// Whether a request of `method` can have this target.
    func isValid(for method: HTTPRequest.Method) -> Bool {
        switch method {
        case .connect:
            guard size == path.utf8.count, let authority = Authority(path.utf8) else {
                return false
            }
            return authority.hasHost && authority.hasPort
        case .options where path == "*": return size == 1
        default: return hasPath
        }
    }
}

extension UInt8 {
    /// Bytes beyond ASCII are let through to where they are decoded, and refused there.
    fileprivate var isTargetCharacter: Bool {
        self > 0x20 && self != 0x7f && self != UInt8(ascii: "#")
    }
}
