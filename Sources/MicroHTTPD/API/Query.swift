/// The parameters of a request's query, decoded as forms are (`+` and `%20` are spaces).
public struct Query: Sendable {
    let bytes: [UInt8]

    /// Whether every escape is complete, and the decoded bytes are UTF-8.
    let isValid: Bool

    private let hasEscapes: Bool

    /// Takes a query as it was sent.
    package init(_ bytes: [UInt8]) {
        hasEscapes = bytes.span.contains(UInt8(ascii: "+"), UInt8(ascii: "%"))
        // As a whole: no escape and no character of UTF-8 goes on behind a `&` or a `=`.
        isValid = (hasEscapes ? Self.unescape(bytes[...]) : String(utf8: bytes.span)) != nil
        self.bytes = bytes
    }

    /// The value of the first parameter of this name; the empty string where it has none.
    public subscript(name: String) -> String? {
        let ampersand = UInt8(ascii: "&")
        // Faster than to search for an index, and usually all there is to do.
        let isOne = !bytes.span.contains(ampersand, ampersand)
        var rest = bytes[...]
        while !rest.isEmpty {
            let end = isOne ? rest.endIndex : rest.firstIndex(of: ampersand) ?? rest.endIndex
            let pair = rest[..<end]
            rest = rest[end...].dropFirst()
            let equals = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.endIndex
            if !pair.isEmpty, isName(pair[..<equals], name) {
                let value = pair[equals...].dropFirst()
                return hasEscapes ? Self.unescape(value) : String(utf8: value.span)
            }
        }
        return nil
    }

    private func isName(_ text: ArraySlice<UInt8>, _ name: String) -> Bool {
        text.span.equals(name.utf8.span)
            || hasEscapes && Self.unescape(text)?.utf8.elementsEqual(name.utf8) == true
    }

    private static func unescape(_ text: ArraySlice<UInt8>) -> String? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        var rest = text
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"):
                bytes.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard let high = rest.popFirst()?.hexValue, let low = rest.popFirst()?.hexValue
                else { return nil }
                bytes.append(high << 4 | low)
            default:
                bytes.append(byte)
            }
        }
        return String(utf8: bytes.span)
    }
}
