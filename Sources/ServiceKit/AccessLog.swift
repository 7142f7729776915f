import HTTPTypes
import Logging
import MicroHTTPD

/// The lines of the log that tell of requests, one for each.
struct AccessLog: Sendable {
    let logger: Logger

    /// Writes the line of one exchange: probes and the page at debug, failures of ours at error.
    func write(_ record: AccessRecord) {
        let level: Logger.Level =
            switch record.route {
            // Probes, which machines ask for all the time, and the page, whose calls are of interest.
            case "/", "/health", "/metrics", "/ready": .debug
            case _ where record.code >= 500 || record.response?.status.kind == .serverError: .error
            default: .info
            }
        guard level >= logger.logLevel else { return }
        let request = record.request
        // Room for all that can come, or else it would be copied to a larger place.
        var metadata = Logger.Metadata(minimumCapacity: 12)
        metadata["endpoint"] = .string(record.route ?? "unmatched")
        metadata["latency_ms"] = .stringConvertible(Milliseconds(record.duration))
        metadata["method"] = .string(Self.cut(request.method.rawValue))
        metadata["request_id"] = .string(request.id)
        metadata["status"] = .stringConvertible(record.code)
        metadata["trace_id"] = .string(request.traceContext.traceID)
        for (name, value) in record.response?.logMetadata ?? [:] { metadata[name] = value }
        if let message = metadata["msg"]?.description ?? request.query["msg"] {
            metadata["msg"] = .string(Self.cut(message))
        }
        if record.ending != .answered { metadata["ending"] = "\(record.ending)" }
        logger.log(level: level, "request", metadata: metadata)
    }

    /// The first 64 characters.
    private static func cut(_ text: String) -> String {
        text.utf8.count <= 64 ? text : String(text.unicodeScalars.prefix(64))
    }
}
