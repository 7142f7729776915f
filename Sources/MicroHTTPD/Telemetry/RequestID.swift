public import HTTPTypes
import Synchronization

extension HTTPField.Name {
    /// The field that carries a request's id from service to service.
    public static let xRequestID = Self("X-Request-Id")!  // "X-Request-Id" is a token.
}

/// The names of requests in logs.
enum RequestID {
    /// An id that no other request has: 15 hexadecimal digits, as many as a String holds without
    /// an allocation.
    static func make() -> String {
        let number = UniqueNumber.next()
        var text = InlineArray<15, UInt8>(repeating: 0)
        for digit in text.indices {
            text[digit] = UInt8(hexDigit: number >> (4 * UInt64(digit)))
        }
        return String(ascii: text.span)
    }

    /// The id that a client chose, if there is one and it is safe in a log: 1 to 128 of
    /// `A–Z a–z 0–9 . _ -`.
    static func valid(_ headerSection: HeaderSection) -> String? {
        let (count, id) = headerSection.last("x-request-id")
        guard count == 1, (1...128).contains(id.count), id.span.consists(of: .id) else {
            return nil
        }
        return String(ascii: id.span)
    }
}

/// Numbers to tell requests and spans apart; not for secrets.
enum UniqueNumber {
    private static let state = Atomic(UInt64.random(in: 0 ... .max))

    /// A number that no other call returns in this process and, most likely, in any other; never 0.
    ///
    /// SplitMix64 (Steele, Lea, Flood 2014), which takes every value once in 2^64 calls. The system's
    /// generator would cost a system call each time.
    static func next() -> UInt64 {
        var number = state.wrappingAdd(0x9e37_79b9_7f4a_7c15, ordering: .relaxed).newValue
        number = (number ^ (number >> 30)) &* 0xbf58_476d_1ce4_e5b9
        number = (number ^ (number >> 27)) &* 0x94d0_49bb_1331_11eb
        number ^= number >> 31
        return number == 0 ? next() : number
    }
}
