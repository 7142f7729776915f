/// The parameters of a request's query, decoded as forms are (`+` and `%20` are spaces).
public struct Query: Sendable {
    private let bytes: [UInt8]

    /// Takes a query as it was sent.
    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Whether every escape is whole, and all that the bytes stand for is UTF-8.
    var isValid: Bool {
        if bytes.allSatisfy({ $0 < 0x80 && $0 != UInt8(ascii: "%") }) { return true }
        return bytes.split(separator: UInt8(ascii: "&")).allSatisfy { pair in
            pair.split(separator: UInt8(ascii: "="), maxSplits: 1).allSatisfy {
                Self.decode($0) != nil
            }
        }
    }

    /// The value of the first parameter of this name; the empty string where it has none.
    public subscript(name: String) -> String? {
        var rest = bytes[...]
        while !rest.isEmpty {
            let end = rest.firstIndex(of: UInt8(ascii: "&")) ?? rest.endIndex
            let pair = rest[..<end]
            rest = rest[end...].dropFirst()
            let equals = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.endIndex
            if !pair.isEmpty, let decoded = Self.decode(pair[..<equals]),
                decoded.utf8.elementsEqual(name.utf8)
            {
                return Self.decode(pair[equals...].dropFirst())
            }
        }
        return nil
    }

    private static func decode(_ text: ArraySlice<UInt8>) -> String? {
        guard text.contains(where: { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "%") }) else {
            return String(validating: text, as: UTF8.self)
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        var rest = text
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"):
                bytes.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard let high = rest.popFirst()?.hexDigit, let low = rest.popFirst()?.hexDigit
                else { return nil }
                bytes.append(high << 4 | low)
            default:
                bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }
}

extension UInt8 {
    /// What this character stands for as a hexadecimal digit.
    var hexDigit: UInt8? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
        case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
