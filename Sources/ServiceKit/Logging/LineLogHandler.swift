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

    func log(event: LogEvent) {
        var metadata = event.metadata ?? [:]
        if !self.metadata.isEmpty { metadata.merge(self.metadata) { ofEvent, _ in ofEvent } }
        let line = LogLine(
            format: format, level: event.level, service: service,
            event: event.message.description,
            fields: metadata.map(LogField.init).sorted { $0.name < $1.name })
        Self.writer.append(line.append)
    }

    /// Writes the line of an exchange: probes and the page at debug, failures of ours at error.
    ///
    /// Its fields are not the metadata of an event, which cost more than the line.
    func log(_ record: AccessRecord) {
        let isError = record.code >= 500 || record.response?.status.kind == .serverError
        // Before the route is looked at, which costs more.
        guard isError || logLevel <= .info else { return }
        let level: Logger.Level =
            switch record.route {
            // Probes, which machines request all the time, and the page: only its calls matter.
            case "/", "/health", "/metrics", "/ready": .debug
            default: isError ? .error : .info
            }
        guard level >= logLevel else { return }
        let request = record.request
        let metadata = record.response?.logMetadata ?? [:]
        var fields: [LogField] = []
        fields.reserveCapacity(12)
        func add(_ name: String, _ text: String, isNumber: Bool = false) {
            fields.append(LogField(name: name, text: text, isNumber: isNumber))
        }
        add("endpoint", record.route ?? "unmatched")
        if record.ending != .answered { add("ending", "\(record.ending)") }
        add("latency_ms", record.duration.textInMilliseconds, isNumber: true)
        add("method", Self.cut(request.method.rawValue))
        if let message = metadata["msg"]?.description ?? request.query["msg"] {
            add("msg", Self.cut(message))
        }
        add("request_id", request.id)
        add("status", "\(record.code)", isNumber: true)
        add("trace_id", request.traceContext.traceID)
        for (name, value) in metadata where name != "msg" { fields.append(LogField(name, value)) }
        if !metadata.isEmpty { fields.sort { $0.name < $1.name } }
        let line = LogLine(
            format: format, level: level, service: service, event: "request", fields: fields)
        Self.writer.append(line.append)
    }

    private static func cut(_ text: String) -> String {
        text.utf8.count <= 64 ? text : String(text.unicodeScalars.prefix(64))
    }
}
