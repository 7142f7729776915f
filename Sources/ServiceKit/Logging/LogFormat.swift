import Logging
import MicroHTTPD

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
        fields: [LogField], to line: inout [UInt8]
    ) {
        let fields = fields.sorted { $0.name < $1.name }
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
            for field in fields {
                line.append(UInt8(ascii: " "))
                line.append(contentsOf: field.name.utf8)
                line.append(UInt8(ascii: "="))
                switch field.value {
                case .text(let text): Self.append(text, to: &line, upTo: textEnd)
                case .integer(let number): line.append(contentsOf: "\(number)".utf8)
                case .milliseconds(let time): time.append(to: &line)
                }
            }
        case .json:
            line.append(contentsOf: #"{"time":""#.utf8)
            timestamp.append(to: &line)
            line.append(contentsOf: #"","level":"\#(level)","service":"\#(service)","#.utf8)
            line.append(contentsOf: #""event":"#.utf8)
            Self.quote(event, into: &line, upTo: textEnd)
            for field in fields {
                line.append(contentsOf: ",\"\(field.name)\":".utf8)
                switch field.value {
                case .text(let text): Self.quote(text, into: &line, upTo: textEnd)
                case .integer(let number): line.append(contentsOf: "\(number)".utf8)
                case .milliseconds(let time): time.append(to: &line)
                }
            }
            line.append(UInt8(ascii: "}"))
        }
        line.append(UInt8(ascii: "\n"))
    }

    private static let word = ASCIISet(
        "-./_~:@0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")

    /// Appends `text`: as it is if nobody can take it for more than one word, quoted otherwise.
    private static func append(_ text: String, to line: inout [UInt8], upTo end: Int) {
        let isWord =
            !text.isEmpty && line.count + text.utf8.count <= end
            && text.utf8.allSatisfy(Self.word.contains)
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

    /// Letters and symbols that show as nothing: a pattern of Braille without a dot, hieroglyphs'
    /// blanks, a note without a head.
    private static let blanks: [Unicode.Scalar] = [
        "\u{2800}", "\u{13441}", "\u{13442}", "\u{1d159}",
    ]

    /// Whether a reader sees `scalar`, behind something that a mark belongs to if there `hasBase`.
    private static func isShown(_ scalar: Unicode.Scalar, hasBase: Bool) -> Bool {
        if scalar.isASCII { return scalar.value >= 0x20 && scalar.value < 0x7f }
        if scalar.properties.isDefaultIgnorableCodePoint { return false }
        return switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator, .privateUse,
            .unassigned:
            false
        case .nonspacingMark, .enclosingMark, .spacingMark: hasBase
        default: !blanks.contains(scalar)
        }
    }
}
