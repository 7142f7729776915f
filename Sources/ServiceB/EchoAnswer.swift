import MicroHTTPD

/// Reads the answer of Service A: a JSON object whose member `echo` is a string (RFC 8259).
///
/// Foundation's readers accept more than RFC 8259 does, and hash each key by its characters: one of
/// 30,000 combining marks takes more than a second.
struct EchoAnswer {
    /// How deep values may be nested.
    private static let depthLimit = 100

    private static let blanks = ASCIISet(" \t\n\r")

    private let bytes: [UInt8]

    // An index is faster than a slice, of which each step would count references.
    private var place = 0

    private var byte: UInt8? { place < bytes.count ? bytes[place] : nil }

    private init(_ content: [UInt8]) {
        bytes = content
    }

    /// The bytes of the string; nil if `content` is anything else, or has `echo` twice.
    static func echo(in content: [UInt8]) -> [UInt8]? {
        guard String(utf8: content.span) != nil else { return nil }
        var answer = Self(content)
        var echo: [UInt8]?
        let isObject = answer.object { answer, key in
            guard key.elementsEqual("echo".utf8) else { return answer.skipValue(depth: 1) }
            guard echo == nil, let text = answer.string() else { return false }
            echo = text
            return true
        }
        answer.skipBlanks()
        return isObject && answer.byte == nil ? echo : nil
    }

    private mutating func next() -> UInt8? {
        defer { place += 1 }
        return byte
    }

    private mutating func skipBlanks() {
        while let byte, Self.blanks.contains(byte) { place += 1 }
    }

    /// Takes `text`, with blanks before it.
    private mutating func take(_ text: String) -> Bool {
        skipBlanks()
        var end = place
        for byte in text.utf8 {
            guard end < bytes.count, bytes[end] == byte else { return false }
            end += 1
        }
        place = end
        return true
    }

    /// Takes an object; `value` takes the value of each of its keys.
    private mutating func object(_ value: (inout Self, _ key: [UInt8]) -> Bool) -> Bool {
        list("{", "}") { answer in
            guard let key = answer.string(), answer.take(":") else { return false }
            return value(&answer, key)
        }
    }

    private mutating func list(
        _ opening: String, _ closing: String, _ element: (inout Self) -> Bool
    ) -> Bool {
        guard take(opening) else { return false }
        if take(closing) { return true }
        repeat {
            guard element(&self) else { return false }
        } while take(",")
        return take(closing)
    }

    private mutating func skipValue(depth: Int) -> Bool {
        guard depth < Self.depthLimit else { return false }
        skipBlanks()
        switch byte {
        case UInt8(ascii: "{"): return object { answer, _ in answer.skipValue(depth: depth + 1) }
        case UInt8(ascii: "["): return list("[", "]") { $0.skipValue(depth: depth + 1) }
        case UInt8(ascii: "\""): return string() != nil
        case UInt8(ascii: "t"): return take("true")
        case UInt8(ascii: "f"): return take("false")
        case UInt8(ascii: "n"): return take("null")
        default: return skipNumber()
        }
    }

    private mutating func skipNumber() -> Bool {
        _ = skip(anyOf: "-")
        guard skip(anyOf: "0") || skipDigits() else { return false }
        if skip(anyOf: "."), !skipDigits() { return false }
        guard skip(anyOf: "eE") else { return true }
        _ = skip(anyOf: "+-")
        return skipDigits()
    }

    private mutating func skipDigits() -> Bool {
        let start = place
        while let byte, byte.isDigit { place += 1 }
        return place > start
    }

    private mutating func skip(anyOf characters: String) -> Bool {
        guard let byte, characters.utf8.contains(byte) else { return false }
        place += 1
        return true
    }

    /// Takes a string: its bytes, with escapes decoded; nil if it is none.
    private mutating func string() -> [UInt8]? {
        guard take("\"") else { return nil }
        var text: [UInt8] = []
        while let byte = next() {
            switch byte {
            case UInt8(ascii: "\""): return text
            case 0..<0x20: return nil
            case UInt8(ascii: "\\"):
                guard let character = escaped() else { return nil }
                text.append(contentsOf: String(character).utf8)
            default: text.append(byte)
            }
        }
        return nil
    }

    /// Takes what follows a backslash.
    private mutating func escaped() -> Unicode.Scalar? {
        switch next() {
        case UInt8(ascii: "\""): "\""
        case UInt8(ascii: "\\"): "\\"
        case UInt8(ascii: "/"): "/"
        case UInt8(ascii: "b"): "\u{8}"
        case UInt8(ascii: "f"): "\u{c}"
        case UInt8(ascii: "n"): "\n"
        case UInt8(ascii: "r"): "\r"
        case UInt8(ascii: "t"): "\t"
        case UInt8(ascii: "u"): unicode()
        default: nil
        }
    }

    /// Takes the digits behind `\u`, and the second half of a pair of surrogates.
    private mutating func unicode() -> Unicode.Scalar? {
        guard let first = unit() else { return nil }
        guard UTF16.isLeadSurrogate(first) else { return Unicode.Scalar(first) }
        guard next() == UInt8(ascii: "\\"), next() == UInt8(ascii: "u"), let second = unit(),
            UTF16.isTrailSurrogate(second)
        else { return nil }
        return Unicode.Scalar(0x10000 + (UInt32(first) - 0xd800) << 10 + UInt32(second) - 0xdc00)
    }

    private mutating func unit() -> UInt16? {
        var unit: UInt16 = 0
        for _ in 0..<4 {
            guard let digit = next()?.hexValue else { return nil }
            unit = unit << 4 | UInt16(digit)
        }
        return unit
    }
}
