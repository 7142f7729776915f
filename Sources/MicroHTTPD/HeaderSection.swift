import HTTPTypes

/// The fields of a request as they came, copied and not interpreted (RFC 9112 §5).
///
/// `HTTPFields` costs more than most of a request; it is made for whoever asks.
struct HeaderSection: Sendable {
    /// Each field as the lengths of its name and of its value, two bytes each, then both: as many
    /// bytes as on the wire, where there are `: ` and a line end.
    private var bytes: [UInt8] = []

    /// The number of fields.
    private(set) var count = 0

    /// Whether every name is a token and no value has a control character (RFC 9110 §5.1, §5.5).
    private(set) var isValid = true

    /// A bit for each length that a name has.
    private var lengths: UInt64 = 0

    /// The blanks before values, of which ``bytes`` has one for each field.
    private var blanks = 0

    /// How long the section is, in bytes.
    var size: Int { bytes.count - count + blanks }

    /// Adds a field, whose parts are 64 KiB at most, with so many blanks before its value.
    mutating func append(
        name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer, blanks: Int = 1
    ) {
        self.blanks += blanks
        if count == 0 { bytes.reserveCapacity(256) }
        count += 1
        lengths |= 1 << UInt64(name.count & 63)
        for length in [name.count, value.count] {
            bytes.append(UInt8(truncatingIfNeeded: length >> 8))
            bytes.append(UInt8(truncatingIfNeeded: length))
        }
        unsafe bytes.append(contentsOf: name)
        unsafe bytes.append(contentsOf: value)
        let isToken = unsafe !name.isEmpty && name.allSatisfy(\.isTokenCharacter)
        let isText = unsafe value.allSatisfy { $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 }
        if !isToken || !isText { isValid = false }
    }

    init() {}

    /// Takes fields that were not sent.
    init(_ fields: HTTPFields) {
        for field in fields {
            unsafe Array(field.name.canonicalName.utf8).withUnsafeBytes { name in
                unsafe Array(field.value.utf8).withUnsafeBytes {
                    unsafe append(name: name, value: $0)
                }
            }
        }
    }

    /// The values of the fields of this name, which is given in lower case, without the blanks
    /// behind them (RFC 9112 §5.1).
    func values(_ name: String) -> [String] {
        var values: [String] = []
        guard lengths & 1 << UInt64(name.utf8.count & 63) != 0 else { return values }
        forEach { field, value in
            let isNamed =
                field.count == name.utf8.count
                && zip(field, name.utf8).allSatisfy { bytes[$0] | 0x20 == $1 }
            guard isNamed else { return }
            var text = bytes[value]
            while text.last == UInt8(ascii: " ") || text.last == 0x09 { text.removeLast() }
            values.append(String(decoding: text, as: UTF8.self))
        }
        return values
    }

    /// The fields, but for those whose name is no token.
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

extension UInt8 {
    /// Whether this character can stand in a token (RFC 9110 §5.6.2).
    fileprivate var isTokenCharacter: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
            true
        default: "!#$%&'*+.^_`|~".utf8.contains(self)
        }
    }
}
