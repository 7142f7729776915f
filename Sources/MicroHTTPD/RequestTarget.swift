/// The target of a request as it was sent (RFC 9112 §3.2).
struct RequestTarget: Sendable {
    /// The path, escapes included; a target that has none is all here.
    let path: String

    /// The query, escapes included; empty where there is none.
    let query: [UInt8]

    /// How long the target is, in bytes.
    let size: Int

    /// Whether it has a path, and no character that no target can have.
    let isValid: Bool

    /// Takes a target apart that libmicrohttpd or the shim has cut at the `?`.
    init(_ text: String, query: [UInt8]?) {
        self.query = query ?? []
        size = text.utf8.count + (query.map { $0.count + 1 } ?? 0)
        var rest = text[...]
        if !text.hasPrefix("/") {
            for scheme in ["http://", "https://"] where text.lowercased().hasPrefix(scheme) {
                // In the absolute form, the path begins behind the authority.
                let authority = rest.dropFirst(scheme.count).prefix { $0 != "/" }
                rest = authority.isEmpty ? rest : text[authority.endIndex...]
                if rest.isEmpty { rest = "/" }
            }
        }
        path = String(rest)
        isValid =
            path.hasPrefix("/") && text.utf8.allSatisfy(\.isTargetCharacter)
            && self.query.allSatisfy(\.isTargetCharacter)
    }
}

extension UInt8 {
    /// Bytes beyond ASCII are let through to where they are decoded, and refused there.
    fileprivate var isTargetCharacter: Bool {
        self > 0x20 && self != 0x7f && self != UInt8(ascii: "#")
    }
}
