public import HTTPTypes

extension HTTPField.Name {
    /// The field that carries a request's id from service to service.
    public static let xRequestID = Self("X-Request-Id")!  // "X-Request-Id" is a token.
}

/// The names of requests in logs.
enum RequestID {
    /// An id that no other request has: 15 hexadecimal digits, as many as a String holds without
    /// memory of its own.
    static func make() -> String {
        let number = UniqueID.next()
        return unsafe String(unsafeUninitializedCapacity: 15) { text in
            for digit in 0..<15 {
                unsafe text[digit] = UInt8(hexDigit: number >> (4 * UInt64(digit)))
            }
            return 15
        }
    }

    /// The id that a client chose, if there is one and it may stand in a log: 1 to 128 of
    /// `A–Z a–z 0–9 . _ -`.
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
