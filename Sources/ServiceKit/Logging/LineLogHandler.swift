import Glibc
public import Logging

/// Writes each event as one line on standard output.
///
/// swift-log's own handler neither escapes what it is given nor writes JSON.
public struct LineLogHandler: LogHandler {
    /// There is one standard output.
    private static let writer = LogWriter(to: STDOUT_FILENO)

    private let service: String
    private let format: LogFormat

    /// What every line has beyond the fields of its event.
    public var metadata: Logger.Metadata = [:]

    /// The lowest level that is written.
    public var logLevel: Logger.Level

    /// Makes a handler for the lines of `service`.
    public init(service: String, format: LogFormat, logLevel: Logger.Level) {
        self.service = service
        self.format = format
        self.logLevel = logLevel
    }

    /// One field of ``metadata``.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes the line of `event`, at once if its level is above info, on any thread.
    public func log(event: LogEvent) {
        var fields = event.metadata ?? [:]
        if !metadata.isEmpty { fields.merge(metadata) { ofEvent, _ in ofEvent } }
        write(event.level, event.message.description, LogField.fields(fields))
    }

    /// Writes a line whose fields are not the metadata of an event, which cost more than the line.
    func write(_ level: Logger.Level, _ event: String, _ fields: [LogField]) {
        Self.writer.append(isUrgent: level > .info) { bytes, timestamp, lost in
            func append(_ level: Logger.Level, _ event: String, _ fields: [LogField]) {
                format.append(
                    timestamp: &timestamp, level: level, service: service, event: event,
                    fields: fields, to: &bytes)
            }
            if lost > 0 {
                append(.warning, "lines lost here", [LogField("count", .integer(lost))])
            }
            append(level, event, fields)
        }
    }

    /// Writes what has not been written yet: before the process ends.
    static func flush() {
        writer.flush()
    }
}
