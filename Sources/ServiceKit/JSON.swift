public import HTTPTypes
public import MicroHTTPD

/// A JSON value of the kinds that the services write.
///
/// `JSONEncoder` would cost a third of a whole request of Service A.
public enum JSON: Sendable {
    /// A string.
    case string(String)
    /// An object, whose keys differ and are in order.
    case object([(String, JSON)])

    /// The value as one line of compact JSON in UTF-8, keys in order, with a newline at the end.
    public var line: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(128)
        write(to: &bytes)
        bytes.append(UInt8(ascii: "\n"))
        return bytes
    }

    private func write(to bytes: inout [UInt8]) {
        switch self {
        case .string(let text):
            Self.quote(text, into: &bytes)
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            var isFirst = true
            for (key, value) in members {
                if !isFirst { bytes.append(UInt8(ascii: ",")) }
                isFirst = false
                Self.quote(key, into: &bytes)
                bytes.append(UInt8(ascii: ":"))
                value.write(to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    /// Appends `text` as a JSON string, escaping only what must be escaped (RFC 8259 §7).
    static func quote(_ text: String, into bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        defer { bytes.append(UInt8(ascii: "\"")) }
        guard text.utf8.span.contains(UInt8(ascii: "\""), UInt8(ascii: "\\"), below: 0x20) else {
            return bytes.append(contentsOf: text.utf8)
        }
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case UInt8(ascii: "\n"): bytes.append(contentsOf: "\\n".utf8)
            case UInt8(ascii: "\r"): bytes.append(contentsOf: "\\r".utf8)
            case UInt8(ascii: "\t"): bytes.append(contentsOf: "\\t".utf8)
            case 0..<0x20: escape(UInt16(byte), into: &bytes)
            default: bytes.append(byte)
            }
        }
    }

    /// Appends a code unit of UTF-16 as `\u` and four hexadecimal digits.
    static func escape(_ unit: UInt16, into bytes: inout [UInt8]) {
        bytes.append(contentsOf: "\\u".utf8)
        for shift in [12, 8, 4, 0] { bytes.append(UInt8(hexDigit: UInt64(unit) >> UInt64(shift))) }
    }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByDictionaryLiteral {
    /// A string.
    public init(stringLiteral text: String) {
        self = .string(text)
    }

    /// An object; its keys must differ.
    public init(dictionaryLiteral members: (String, JSON)...) {
        // The busiest answers have a single one.
        self = .object(members.count < 2 ? members : members.sorted { $0.0 < $1.0 })
    }
}

extension Response {
    // One for all: without an append, the fields are not copied.
    private static let jsonFields: HTTPFields = [.contentType: "application/json"]

    /// A response with `value` as its content.
    public init(_ value: JSON, status: HTTPResponse.Status = .ok) {
        self.init(status: status, headerFields: Self.jsonFields, body: value.line)
    }

    /// A response that says what went wrong: `error` is a fixed phrase, `details` is for this case.
    public init(
        error: String, details: String, status: HTTPResponse.Status, headerFields: HTTPFields = [:]
    ) {
        self.init(["details": .string(details), "error": .string(error)], status: status)
        self.headerFields.append(contentsOf: headerFields)
    }
}
