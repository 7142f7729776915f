import Logging

/// How a line of the log is written.
public enum LogFormat: String, Sendable, CaseIterable {
    /// Time, level, service and event, then `field=value`, with the fields in order.
    case text
    /// The same as one JSON object.
    case json

    /// Where the texts of a line end at the latest, in bytes.
    ///
    /// What follows is names, numbers and signs of ours, and the whole is less than `PIPE_BUF`, up
    /// to which a pipe takes a line all at once.
    private static let textLimit = 3000

    /// Appends one line, with its end: 4096 bytes at most, whatever is in it.
    func append(
        timestamp: inout Timestamp, level: Logger.Level, service: String, event: String,
        fields: Logger.Metadata, to line: inout [UInt8]
    ) {
        let fields = fields.sorted { $0.key < $1.key }
        let textEnd = line.count + Self.textLimit
        switch self {
        case .text:
            timestamp.append(to: &line)
            for word in [level.rawValue, service] {
                line.append(UInt8(ascii: " "))
                line.append(contentsOf: word.utf8)
            }
            line.append(UInt8(ascii: " "))
            Self.append(event, to: &line, upTo: textEnd)
            for (name, value) in fields {
                line.append(UInt8(ascii: " "))
                line.append(contentsOf: name.utf8)
                line.append(UInt8(ascii: "="))
                if value.isNumber {
                    line.append(contentsOf: value.text.utf8)
                } else {
                    Self.append(value.text, to: &line, upTo: textEnd)
                }
            }
        case .json:
            line.append(contentsOf: #"{"time":""#.utf8)
            timestamp.append(to: &line)
            line.append(contentsOf: #"","level":"\#(level)","service":"\#(service)","#.utf8)
            line.append(contentsOf: #""event":"#.utf8)
            Self.quote(event, into: &line, upTo: textEnd)
            for (name, value) in fields {
                line.append(contentsOf: ",\"\(name)\":".utf8)
                if value.isNumber {
                    line.append(contentsOf: value.text.utf8)
                } else {
                    Self.quote(value.text, into: &line, upTo: textEnd)
                }
            }
            line.append(UInt8(ascii: "}"))
        }
        line.append(UInt8(ascii: "\n"))
    }

    /// Appends `text`: as it is if nobody can take it for more than one word, quoted otherwise.
    private static func append(_ text: String, to line: inout [UInt8], upTo end: Int) {
        let isWord =
            !text.isEmpty && line.count + text.utf8.count <= end
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-")...UInt8(ascii: "/"),
                    UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: ":"), UInt8(ascii: "@"):
                    true
                default: false
                }
            }
        if isWord {
            line.append(contentsOf: text.utf8)
        } else {
            quote(text, into: &line, upTo: end)
        }
    }

    /// Appends `text` as a JSON string without anything that a terminal would act on or not show,
    /// and cut with an ellipsis where it comes to `end`.
    private static func quote(_ text: String, into line: inout [UInt8], upTo end: Int) {
        line.append(UInt8(ascii: "\""))
        var hasBase = false
        for scalar in text.unicodeScalars {
            guard line.count < end else {
                line.append(contentsOf: "…".utf8)
                break
            }
            let isShown = isShown(scalar, hasBase: hasBase)
            hasBase = isShown
            if isShown {
                if scalar == "\"" || scalar == "\\" { line.append(UInt8(ascii: "\\")) }
                line.append(contentsOf: String(scalar).utf8)
            } else {
                for unit in UTF16.encode(scalar) ?? .init() { JSON.escape(unit, into: &line) }
            }
        }
        line.append(UInt8(ascii: "\""))
    }

    /// Whether a reader sees `scalar`, behind something that a mark belongs to if there `hasBase`.
    private static func isShown(_ scalar: Unicode.Scalar, hasBase: Bool) -> Bool {
        if scalar.isASCII { return scalar.value >= 0x20 && scalar.value < 0x7f }
        if scalar.properties.isDefaultIgnorableCodePoint { return false }
        return switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator, .privateUse,
            .unassigned:
            false
        case .nonspacingMark, .enclosingMark, .spacingMark: hasBase
        default: scalar != "\u{2800}"  // A pattern of Braille without a dot.
        }
    }
}

extension Logger.MetadataValue {
    fileprivate var text: String {
        switch self {
        case .string(let text): text
        case .stringConvertible(let value): value.description
        case .array, .dictionary: description
        }
    }

    fileprivate var isNumber: Bool {
        guard case .stringConvertible(let value) = self else { return false }
        return value is Int || value is Milliseconds
    }
}
