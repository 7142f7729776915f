import Foundation

/// Where Service A is: the one address that Service B talks to.
struct ServiceAURL: Sendable, CustomStringConvertible {
    /// Service A on this machine, at its default port.
    static let local = Self(base: "http://localhost:8080")

    /// The URL, without a slash at its end.
    var description: String { base }

    /// The characters that may stand in the value of a query's parameter as they are (RFC 3986
    /// §3.4), less `+`, `&` and `%`, which mean something there; and the space, which becomes `+`.
    private static let plain = CharacterSet(
        charactersIn:
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$'()*,;:=@/? ")

    private let base: String

    private init(base: String) { self.base = base }

    /// Takes an `http` URL without user, query and fragment, such as `http://service-a:8080`.
    init?(_ text: String) {
        guard var parts = URLComponents(string: text), parts.scheme?.lowercased() == "http",
            let host = parts.host, !host.isEmpty, (1...65535).contains(parts.port ?? 80),
            parts.user == nil, parts.password == nil, parts.query == nil, parts.fragment == nil
        else { return nil }
        parts.scheme = "http"  // URLSession takes no other spelling.
        guard let url = parts.url?.absoluteString else { return nil }
        base = url.hasSuffix("/") ? String(url.dropLast()) : url
    }

    /// The URL that has Service A echo `message`; nil where it would be over Service A's limit.
    ///
    /// Its query is no longer than a valid one in which `message` came, or else Service A could
    /// refuse what Service B has taken.
    func echo(_ message: String) -> URL? {
        // Nil only for text that is not Unicode, which a String cannot be.
        let value = message.addingPercentEncoding(withAllowedCharacters: Self.plain)
        let url = value.flatMap { value in
            URL(string: "\(base)/echo?msg=\(value.replacing(" ", with: "+"))")
        }
        return url.flatMap { $0.absoluteString.utf8.count > 8 * 1024 ? nil : $0 }
    }
}
