import Glibc

/// A host and a port, as in `Host`, in a target in absolute form and in that of `CONNECT`
/// (RFC 3986 §3.2).
struct Authority {
    /// Whether the host is not empty.
    let hasHost: Bool

    /// Whether there is a port.
    let hasPort: Bool

    /// Takes `text` apart; nil if it is not an authority, or has a user in it.
    init?(_ text: some Sequence<UInt8>) {
        var host = Array(text)[...]
        var port: ArraySlice<UInt8> = []
        // A colon before a bracket is the address's own.
        if let colon = host.lastIndex(of: UInt8(ascii: ":")),
            !host[colon...].contains(UInt8(ascii: "]"))
        {
            port = host[colon...].dropFirst()
            host = host[..<colon]
        }
        guard port.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }) else { return nil }
        hasHost = !host.isEmpty
        hasPort = !port.isEmpty
        if host.first == UInt8(ascii: "[") {
            guard host.last == UInt8(ascii: "]") else { return nil }
            // Of addresses after IPv6 there is none yet.
            let address = String(decoding: host.dropFirst().dropLast(), as: UTF8.self)
            var bytes = in6_addr()
            guard unsafe inet_pton(AF_INET6, address, &bytes) == 1 else { return nil }
        } else {
            guard Self.isName(host) else { return nil }
        }
    }

    private static func isName(_ name: ArraySlice<UInt8>) -> Bool {
        name.indices.allSatisfy { index in
            guard name[index] == UInt8(ascii: "%") else { return name[index].isNameCharacter }
            let digits = name[index...].dropFirst().prefix(2)
            return digits.count == 2 && digits.allSatisfy { $0.hexDigit != nil }
        }
    }
}

extension UInt8 {
    /// What a name can be written with, beside escapes (RFC 3986 §3.2.2).
    fileprivate var isNameCharacter: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "-._~!$&'()*+,;=".utf8.contains(self)
        }
    }
}
