import Glibc
import HTTPTypes
import Logging
import MicroHTTPD

/// Writes each event, and each exchange, as one line on standard output.
///
/// swift-log's own handler neither escapes what it is given nor writes JSON.
struct LineLogHandler: LogHandler {
    /// There is one standard output.
    static let writer = LogWriter(to: STDOUT_FILENO)

    let service: String
    let format: LogFormat
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes the line of `event`, at once if its level is above info, on any thread.
    func log(event: LogEvent) {
        var metadata = event.metadata ?? [:]
        if !self.metadata.isEmpty { metadata.merge(self.metadata) { ofEvent, _ in ofEvent } }
        write(event.level, event.message.description, metadata.map(LogField.init))
    }

    /// Writes the line of an exchange: probes and the page at debug, failures of ours at error.
    ///
    /// Its fields are not the metadata of an event, which cost more than the line.
    func log(_ record: AccessRecord) {
        let level: Logger.Level =
            switch record.route {
            // Probes, which machines ask for all the time, and the page, whose calls are of interest.
            case "/", "/health", "/metrics", "/ready": .debug
            case _ where record.code >= 500 || record.response?.status.kind == .serverError: .error
            default: .info
            }
        guard level >= logLevel else { return }
        let request = record.request
        var fields = [
            LogField(name: "endpoint", text: record.route ?? "unmatched"),
            LogField(name: "latency_ms", text: record.duration.textInMilliseconds, isNumber: true),
            LogField(name: "method", text: Self.cut(request.method.rawValue)),
            LogField(name: "request_id", text: request.id),
            LogField(name: "status", text: "\(record.code)", isNumber: true),
            LogField(name: "trace_id", text: request.traceContext.traceID),
        ]
        let metadata = record.response?.logMetadata ?? [:]
        for (name, value) in metadata where name != "msg" { fields.append(LogField(name, value)) }
        if let message = metadata["msg"]?.description ?? request.query["msg"] {
            fields.append(LogField(name: "msg", text: Self.cut(message)))
        }
        if record.ending != .answered {
            fields.append(LogField(name: "ending", text: "\(record.ending)"))
        }
        write(level, "request", fields)
    }

    /// The first 64 characters.
    private static func cut(_ text: String) -> String {
        text.utf8.count <= 64 ? text : String(text.unicodeScalars.prefix(64))
    }

    private func write(_ level: Logger.Level, _ event: String, _ fields: consuming [LogField]) {
        fields.sort { $0.name < $1.name }
        let fields = fields
        Self.writer.append(isUrgent: level > .info) { bytes, timestamp, lost in
            if lost > 0 {
                let count = LogField(name: "count", text: "\(lost)", isNumber: true)
                format.append(
                    timestamp: &timestamp, level: .warning, service: service,
                    event: "lines lost here", fields: [count], to: &bytes)
            }
            format.append(
                timestamp: &timestamp, level: level, service: service, event: event,
                fields: fields, to: &bytes)
        }
    }
}
