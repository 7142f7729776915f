import FoundationEssentials
import Logging

/// How a line of the log is written.
public enum LogFormat: String, Sendable, CaseIterable {
    /// Time, level, service and event, then `field=value`, with the fields in order.
    case text
    /// The same as one JSON object.
    case json

    /// One line, without the newline.
    func line(_ event: LogEvent, service: String, metadata: Logger.Metadata) -> String {
        let time = Date.now.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        let fields = metadata.sorted { $0.key < $1.key }
        var line: [UInt8] = []
        switch self {
        case .text:
            line.append(contentsOf: "\(time) \(event.level) \(service) ".utf8)
            Self.append("\(event.message)", to: &line)
            for (name, value) in fields {
                line.append(contentsOf: " \(name)=".utf8)
                Self.append("\(value)", to: &line)
            }
        case .json:
            line.append(contentsOf: #"{"time":"\#(time)","level":"\#(event.level)","#.utf8)
            line.append(contentsOf: #""service":"\#(service)","event":"#.utf8)
            Self.quote("\(event.message)", into: &line)
            for (name, value) in fields {
                line.append(contentsOf: ",\"\(name)\":".utf8)
                switch value {
                case .stringConvertible(let number as Int):
                    line.append(contentsOf: "\(number)".utf8)
                case .stringConvertible(let number as Milliseconds):
                    line.append(contentsOf: "\(number)".utf8)
                default:
                    Self.quote("\(value)", into: &line)
                }
            }
            line.append(UInt8(ascii: "}"))
        }
        return String(decoding: line, as: UTF8.self)
    }

    /// Appends `text`: as it is if nobody can take it for more than one word, quoted otherwise.
    private static func append(_ text: String, to line: inout [UInt8]) {
        let isWord =
            !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "-._~:/@".utf8.contains(byte)
                }
            }
        if isWord { line.append(contentsOf: text.utf8) } else { quote(text, into: &line) }
    }

    /// Appends `text` as a JSON string without anything that a terminal would act on or not show.
    private static func quote(_ text: String, into line: inout [UInt8]) {
        line.append(UInt8(ascii: "\""))
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator:
                for unit in UTF16.encode(scalar) ?? .init() { JSON.escape(unit, into: &line) }
            default:
                if scalar == "\"" || scalar == "\\" { line.append(UInt8(ascii: "\\")) }
                line.append(contentsOf: String(scalar).utf8)
            }
        }
        line.append(UInt8(ascii: "\""))
    }
}
