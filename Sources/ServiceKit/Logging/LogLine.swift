import FoundationEssentials
import Logging
import MicroHTTPD

enum LogFormat: String, CaseIterable {
    /// Time, level, service and event, then `field=value`.
    case text
    /// The same as one JSON object.
    case json
}

struct LogLine {
    let format: LogFormat
    let level: Logger.Level
    let service: String
    let event: String
    /// In order of their names.
    let fields: [LogField]

    /// Where the texts of a line end at the latest, in bytes.
    ///
    /// Only names, numbers and punctuation of ours follow, so the whole is less than `PIPE_BUF`, up
    /// to which a pipe takes a line all at once.
    private static let textLimit = 3000

    /// Appends the line, with its end: 4096 bytes at most, whatever is in it.
    ///
    /// If lines were lost before it, another line comes first that says how many.
    func append(to bytes: inout [UInt8], timestamp: inout Timestamp, lost: Int) {
        if lost > 0 {
            let count = LogField(name: "count", text: "\(lost)", isNumber: true)
            let loss = Self(
                format: format, level: .warning, service: service, event: "lines lost here",
                fields: [count])
            loss.append(to: &bytes, timestamp: &timestamp, lost: 0)
        }
        let end = bytes.count + Self.textLimit
        switch format {
        case .text:
            timestamp.append(to: &bytes)
            bytes.append(UInt8(ascii: " "))
            for word in [level.rawValue, service] {
                bytes.append(contentsOf: word.utf8)
                bytes.append(UInt8(ascii: " "))
            }
        case .json:
            bytes.append(contentsOf: #"{"time":""#.utf8)
            timestamp.append(to: &bytes)
            bytes.append(
                contentsOf: #"","level":"\#(level)","service":"\#(service)","event":"#.utf8)
        }
        append(event, to: &bytes, upTo: end)
        let (before, behind) = format == .text ? (" ", "=") : (",\"", "\":")
        for field in fields {
            bytes.append(contentsOf: before.utf8)
            bytes.append(contentsOf: field.name.utf8)
            bytes.append(contentsOf: behind.utf8)
            if field.isNumber {
                bytes.append(contentsOf: field.text.utf8)
            } else {
                append(field.text, to: &bytes, upTo: end)
            }
        }
        if format == .json { bytes.append(UInt8(ascii: "}")) }
        bytes.append(UInt8(ascii: "\n"))
    }

    private static let word = ASCIISet(
        "-./_~:@0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")

    /// Appends `text`, unquoted in a line of text if it can only be read as one word.
    private func append(_ text: String, to bytes: inout [UInt8], upTo end: Int) {
        let isWord =
            format == .text && !text.isEmpty && bytes.count + text.utf8.count <= end
            && text.utf8.span.consists(of: Self.word)
        if isWord {
            bytes.append(contentsOf: text.utf8)
        } else {
            Self.quote(text, into: &bytes, upTo: end)
        }
    }

    /// Appends `text` as a JSON string without anything that a terminal would act on or not show,
    /// and cut with an ellipsis at `end`.
    private static func quote(_ text: String, into bytes: inout [UInt8], upTo end: Int) {
        bytes.append(UInt8(ascii: "\""))
        var hasBase = false
        for scalar in text.unicodeScalars {
            guard bytes.count < end else {
                bytes.append(contentsOf: "…".utf8)
                break
            }
            let isShown = isShown(scalar, hasBase: hasBase)
            hasBase = isShown
            if isShown {
                if scalar == "\"" || scalar == "\\" { bytes.append(UInt8(ascii: "\\")) }
                bytes.append(contentsOf: String(scalar).utf8)
            } else {
                for unit in UTF16.encode(scalar) ?? .init() { JSON.escape(unit, into: &bytes) }
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Invisible letters and symbols: a pattern of Braille without a dot, hieroglyphs'
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

/// A named value in a line of the log.
struct LogField {
    let name: String
    let text: String

    var isNumber = false
}

extension LogField {
    /// A value of an event's metadata; a duration is a number of milliseconds.
    init(_ name: String, _ value: Logger.Metadata.Value) {
        switch value {
        case .stringConvertible(let number as Int):
            self.init(name: name, text: "\(number)", isNumber: true)
        case .stringConvertible(let time as Duration):
            self.init(name: name, text: time.textInMilliseconds, isNumber: true)
        default: self.init(name: name, text: value.description)
        }
    }
}

extension Duration {
    /// Its milliseconds, down to the microsecond, such as `0.274`.
    public var textInMilliseconds: String {
        let microseconds = Int(self / .microseconds(1))
        let decimals = microseconds % 1000
        let zeros = decimals < 10 ? "00" : decimals < 100 ? "0" : ""
        return String(microseconds / 1000) + "." + zeros + String(decimals)
    }
}

/// Writes the time, which is formatted only once a second.
struct Timestamp {
    private var second = 0
    private var text: [UInt8] = []

    /// Appends the current time, in UTC, such as `2026-11-23T20:21:49.036Z`.
    mutating func append(to line: inout [UInt8]) {
        let milliseconds = Int(Date.now.timeIntervalSince1970 * 1000)
        if milliseconds / 1000 != second {
            second = milliseconds / 1000
            let date = Date(timeIntervalSince1970: Double(second)).formatted(.iso8601)
            text = Array(date.utf8.dropLast())
        }
        line.append(contentsOf: text)
        line.append(UInt8(ascii: "."))
        for unit in [100, 10, 1] {
            line.append(UInt8(ascii: "0") + UInt8(milliseconds / unit % 10))
        }
        line.append(UInt8(ascii: "Z"))
    }
}
