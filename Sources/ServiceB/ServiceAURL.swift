import Foundation
import MicroHTTPD

/// Where Service A is: the one address that Service B talks to.
struct ServiceAURL: Sendable, CustomStringConvertible {
    static let local = Self("http://localhost:8080")!  // Tested by every start without an option.

    /// The URL as it was given, without a slash at its end.
    let description: String

    /// The characters that need no escape in the value of a query parameter (RFC 3986 §3.4), less
    /// `+`, `&` and `%`, which have a meaning there.
    private static let plain = ASCIISet(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$'()*,;:=@/?")

    /// How many bytes are before the request target, whose size Service A limits.
    private let originSize: Int

    /// Takes an `http` URL without user, query and fragment, such as `http://service-a:8080`, at
    /// which a call can succeed.
    init?(_ text: String) {
        // Foundation would escape a `%` that escapes nothing.
        guard !text.contains(/%(?![0-9A-Fa-f]{2})/), var parts = URLComponents(string: text),
            parts.scheme?.lowercased() == "http", let host = parts.encodedHost,
            Self.isName(host) || Self.isAddress(host), (1...65535).contains(parts.port ?? 80),
            parts.port != nil || parts.rangeOfPort == nil,
            parts.user == nil, parts.password == nil, parts.query == nil, parts.fragment == nil
        else { return nil }
        parts.scheme = "http"  // URLSession takes no other spelling.
        let path = parts.percentEncodedPath
        parts.path = ""
        guard let origin = parts.url?.absoluteString else { return nil }
        originSize = origin.utf8.count
        description = origin + (path.hasSuffix("/") ? path.dropLast() : path[...])
        guard echo("") != nil else { return nil }
    }

    private static let nameCharacters = ASCIISet(
        "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")

    /// Whether a name server could know `host`, or it is an IPv4 address (RFC 1035 §2.3.4).
    private static func isName(_ host: String) -> Bool {
        let name = host.hasSuffix(".") ? host.dropLast() : host[...]
        return name.utf8.count <= 253 && Array(name.utf8).span.consists(of: nameCharacters)
            && name.split(separator: ".", omittingEmptySubsequences: false)
                .allSatisfy { (1...63).contains($0.utf8.count) }
    }

    private static func isAddress(_ host: String) -> Bool {
        guard host.hasPrefix("["), host.hasSuffix("]") else { return false }
        let parts = host.dropFirst().dropLast().split(
            separator: "%25", maxSplits: 1, omittingEmptySubsequences: false)
        return Socket.isIPv6(Array(parts[0].utf8)[...]) && parts.last != ""
    }

    /// The URL that makes Service A echo `message`; nil if it would exceed Service A's limit.
    ///
    /// Its query is no longer than a valid one in which `message` came, or else Service A could
    /// reject a message that Service B has accepted.
    func echo(_ message: String) -> URL? {
        var url = description + "/echo?msg="
        for byte in message.utf8 {
            if Self.plain.contains(byte) {
                url.unicodeScalars.append(Unicode.Scalar(byte))
            } else if byte == UInt8(ascii: " ") {
                url += "+"
            } else {
                url += byte < 16 ? "%0" : "%"
                url += String(byte, radix: 16, uppercase: true)
            }
        }
        return url.utf8.count - originSize > Limits.target ? nil : URL(string: url)
    }
}
