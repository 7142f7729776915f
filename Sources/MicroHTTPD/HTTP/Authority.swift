/// A host and a port, as in `Host`, in a target in absolute form and in that of `CONNECT`
/// (RFC 3986 §3.2).
struct Authority {
    /// Whether the host is not empty.
    let hasHost: Bool

    /// Whether there is a port.
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
            // There is no successor of IPv6 yet.
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
