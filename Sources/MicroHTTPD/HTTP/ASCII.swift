/// A set of ASCII characters.
package struct ASCIISet: Sendable {
    // A bit for each of the characters 0 to 63 and 64 to 127.
    private var low: UInt64 = 0
    private var high: UInt64 = 0

    /// Makes the set of these characters.
    package init(_ characters: StaticString) {
        for byte in characters.description.utf8 {
            if byte < 64 { low |= 1 << UInt64(byte) } else { high |= 1 << UInt64(byte & 63) }
        }
    }

    /// Whether `byte` is one of them; no byte beyond ASCII is.
    @inline(__always)
    package func contains(_ byte: UInt8) -> Bool {
        (byte < 64 ? low : byte < 128 ? high : 0) >> UInt64(byte & 63) & 1 == 1
    }

    /// The characters of a token (RFC 9110 §5.6.2).
    static let token = Self(
        "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")

    /// The characters of a host name, besides escapes (RFC 3986 §3.2.2).
    static let hostName = Self(
        "-._~!$&'()*+,;=0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")

    static let id = Self("-._0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")

    static let lowercaseHex = Self("0123456789abcdef")
}

extension UInt8 {
    /// Whether it is a digit.
    package var isDigit: Bool { self &- UInt8(ascii: "0") < 10 }

    var isLowercase: Bool { self &- UInt8(ascii: "a") < 26 }

    /// The value of a hexadecimal digit; nil for any other character.
    package var hexValue: UInt8? {
        if isDigit { return self - UInt8(ascii: "0") }
        let letter = (self | 0x20) &- UInt8(ascii: "a")
        return letter < 6 ? letter + 10 : nil
    }

    /// The digit of the lowest four bits.
    package init(hexDigit number: UInt64) {
        let value = UInt8(truncatingIfNeeded: number) & 0xf
        self = value + (value < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10)
    }
}

extension String {
    /// Makes a string of bytes; nil if they are not UTF-8.
    ///
    /// `String(validating:as:)` is generic, and not specialized for slices.
    package init?(utf8 bytes: Span<UInt8>) {
        guard let text = try? UTF8Span(validating: bytes) else { return nil }
        self.init(copying: text)
    }

    init(ascii bytes: Span<UInt8>) {
        guard let text = String(utf8: bytes) else { preconditionFailure("not ASCII") }
        self = text
    }
}

extension Span<UInt8> {
    func equals(_ other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        for index in indices where self[index] != other[index] { return false }
        return true
    }

    /// Whether these are the bytes of `text`, which is in lower case, ignoring the case of letters.
    ///
    /// By bytes: `lowercased()` would turn the Kelvin sign into a `k`.
    func equalsIgnoringCase(_ text: Span<UInt8>) -> Bool {
        guard count == text.count else { return false }
        for index in indices {
            let letter = text[index]
            guard self[index] == letter || letter.isLowercase && self[index] | 0x20 == letter else {
                return false
            }
        }
        return true
    }

    /// Whether each byte is one of `set`.
    package func consists(of set: ASCIISet) -> Bool {
        for index in indices where !set.contains(self[index]) { return false }
        return true
    }

    /// Whether any byte is one of these two, or below `limit`.
    ///
    /// Looks at each byte without a branch, so that the compiler takes many at a time: over 4 KB,
    /// `contains(where:)` costs ten times as much.
    package func contains(_ first: UInt8, _ second: UInt8, below limit: UInt8 = 0) -> Bool {
        var found: UInt8 = 0
        for index in indices {
            let byte = self[index]
            found |= (byte == first ? 1 : 0) | (byte == second ? 1 : 0) | (byte < limit ? 1 : 0)
        }
        return found != 0
    }
}
