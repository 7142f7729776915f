public import HTTPTypes
import Synchronization

extension HTTPField.Name {
    /// The field that carries a request's id from service to service.
    public static let xRequestID = Self("X-Request-Id")!  // "X-Request-Id" is a token.
}

/// The names of requests in logs.
enum RequestID {
    /// Distinguishes the ids of this process from those of all others.
    private static let prefix = String(UInt64.random(in: 1 << 60 ... .max), radix: 16)
    private static let count = Atomic<UInt64>(0)

    /// An id that no other request has.
    static func make() -> String {
        let number = count.add(1, ordering: .relaxed).newValue
        return "\(prefix)-\(number)"
    }

    /// The id that a client chose, if it may stand in a log: 1 to 128 of `A–Z a–z 0–9 . _ -`.
    static func valid(_ id: String?) -> String? {
        guard let id, (1...128).contains(id.utf8.count) else { return nil }
        let allowed = id.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "-"):
                true
            default: false
            }
        }
        return allowed ? id : nil
    }
}
