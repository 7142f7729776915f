public import HTTPTypes

extension HTTPField.Name {
    /// The field that carries a request's id from service to service.
    public static let xRequestID = Self("X-Request-Id")!  // "X-Request-Id" is a token.
}

/// The names of requests in logs.
enum RequestID {
    /// An id that no other request has: 16 hexadecimal digits.
    static func make() -> String {
        let digits = String(UniqueID.next(), radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }

    /// The id that a client chose, if there is one and it may stand in a log: 1 to 128 of `A–Z a–z 0–9 . _ -`.
    static func valid(_ values: [String]) -> String? {
        guard let id = values.first, values.count == 1, (1...128).contains(id.utf8.count) else {
            return nil
        }
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
