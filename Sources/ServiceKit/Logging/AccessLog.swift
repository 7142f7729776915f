import HTTPTypes
import Logging
import MicroHTTPD

/// The lines of the log that tell of requests, one for each.
struct AccessLog: Sendable {
    let handler: LineLogHandler

    /// Writes the line of one exchange: probes and the page at debug, failures of ours at error.
    func write(_ record: AccessRecord) {
        let isError = record.code >= 500 || record.response?.status.kind == .serverError
        guard isError || handler.logLevel <= .info else { return }
        let level: Logger.Level =
            switch record.route {
            // Probes, which machines ask for all the time, and the page, whose calls are of interest.
            case "/", "/health", "/metrics", "/ready": .debug
            default: isError ? .error : .info
            }
        guard level >= handler.logLevel else { return }
        handler.write(level, "request", fields(record))
    }

    private func fields(_ record: AccessRecord) -> [LogField] {
        let request = record.request
        var fields = [
            LogField("endpoint", .text(record.route ?? "unmatched")),
            LogField("latency_ms", .milliseconds(Milliseconds(record.duration))),
            LogField("method", .text(Self.cut(request.method.rawValue))),
            LogField("request_id", .text(request.id)),
            LogField("status", .integer(record.code)),
            LogField("trace_id", .text(request.traceContext.traceID)),
        ]
        let metadata = record.response?.logMetadata ?? [:]
        if !metadata.isEmpty { fields += LogField.fields(metadata).filter { $0.name != "msg" } }
        if let message = metadata["msg"]?.description ?? request.query["msg"] {
            fields.append(LogField("msg", .text(Self.cut(message))))
        }
        if record.ending != .answered {
            fields.append(LogField("ending", .text("\(record.ending)")))
        }
        return fields
    }

    /// The first 64 characters.
    private static func cut(_ text: String) -> String {
        text.utf8.count <= 64 ? text : String(text.unicodeScalars.prefix(64))
    }
}
