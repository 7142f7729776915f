import HTTPTypes

/// The fields of a request as they came, copied and not interpreted (RFC 9112 §5).
///
/// `HTTPFields` costs more than most of a request; it is made when a handler asks for it.
struct HeaderSection: Sendable {
    /// Each field as the lengths of its name and of its value, two bytes each, then both: as many
    /// bytes as on the wire, where there are `: ` and a line end.
    private var bytes: [UInt8] = []

    private(set) var count = 0

    /// Whether every name is a token and no value has a control character (RFC 9110 §5.1, §5.5).
    private(set) var isValid = true

    /// A bit for each length that a name has.
    private var lengths: UInt64 = 0

    /// The blanks before values, beyond one for each field.
    private var moreBlanks = 0

    /// How long the section is, in bytes.
    var size: Int { bytes.count + moreBlanks }

    /// Adds a field, whose parts are 64 KiB at most, with so many blanks before its value.
    mutating func append(
        _ name: some Collection<UInt8>, _ value: some Collection<UInt8>, blanks: Int = 1
    ) {
        moreBlanks += blanks - 1
        if count == 0 { bytes.reserveCapacity(256) }
        count += 1
        lengths |= 1 << UInt64(name.count & 63)
        bytes.append(UInt8(truncatingIfNeeded: name.count >> 8))
        bytes.append(UInt8(truncatingIfNeeded: name.count))
        bytes.append(UInt8(truncatingIfNeeded: value.count >> 8))
        bytes.append(UInt8(truncatingIfNeeded: value.count))
        bytes.append(contentsOf: name)
        bytes.append(contentsOf: value)
        let size = name.count + value.count
        isValid = isValid && Self.isField(bytes.span.extracting(last: size), name.count)
    }

    private static func isField(_ field: Span<UInt8>, _ nameSize: Int) -> Bool {
        nameSize > 0 && field.extracting(first: nameSize).consists(of: .token)
            && !hasControl(field.extracting(droppingFirst: nameSize))
    }

    private static func hasControl(_ value: Span<UInt8>) -> Bool {
        guard value.contains(0x7f, 0x7f, below: 0x20) else { return false }
        for index in value.indices where value[index] != 0x09 {
            if value[index] < 0x20 || value[index] == 0x7f { return true }
        }
        return false
    }

    /// The values of the fields of this name, which is given in lower case, without trailing blanks
    /// (RFC 9112 §5.1).
    func values(_ name: String) -> [ArraySlice<UInt8>] {
        var values: [ArraySlice<UInt8>] = []
        forEachValue(of: name) { values.append($0) }
        return values
    }

    /// How many fields have this name, and the value of the last one; makes no array.
    func last(_ name: String) -> (count: Int, value: ArraySlice<UInt8>) {
        var last: (count: Int, value: ArraySlice<UInt8>) = (0, [])
        forEachValue(of: name) { last = (last.count + 1, $0) }
        return last
    }

    private func forEachValue(of name: String, _ body: (ArraySlice<UInt8>) -> Void) {
        guard lengths & 1 << UInt64(name.utf8.count & 63) != 0 else { return }
        forEach { field, value in
            guard bytes[field].span.equalsIgnoringCase(name.utf8.span) else { return }
            var text = bytes[value]
            while text.last == UInt8(ascii: " ") || text.last == 0x09 { text.removeLast() }
            body(text)
        }
    }

    /// The fields, except those whose name is not a token.
    var fields: HTTPFields {
        var fields = HTTPFields()
        forEach { name, value in
            if let name = HTTPField.Name(String(decoding: bytes[name], as: UTF8.self)) {
                let value = String(decoding: bytes[value], as: UTF8.self)
                fields.append(HTTPField(name: name, value: value))
            }
        }
        return fields
    }

    private func forEach(_ body: (_ name: Range<Int>, _ value: Range<Int>) -> Void) {
        var start = 0
        while start < bytes.count {
            let name = start + 4
            let value = name + (Int(bytes[start]) << 8 | Int(bytes[start + 1]))
            let end = value + (Int(bytes[start + 2]) << 8 | Int(bytes[start + 3]))
            body(name..<value, value..<end)
            start = end
        }
    }
}
