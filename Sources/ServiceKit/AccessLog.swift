import HTTPTypes
import Logging
import MicroHTTPD

/// The lines of the log that tell of requests, one for each.
struct AccessLog: Sendable {
    let logger: Logger

    /// Writes the line of one exchange: probes at debug, failures of ours at error.
    func write(_ record: AccessRecord) {
        let level: Logger.Level =
            switch record.route {
            // Asked for all the time, and by machines.
            case "/health", "/metrics", "/ready": .debug
            case _ where record.code >= 500 || record.response?.status.kind == .serverError: .error
            default: .info
            }
        guard level >= logger.logLevel else { return }
        let request = record.request
        var metadata: Logger.Metadata = [
            "endpoint": .string(record.route ?? "unmatched"),
            "latency_ms": .stringConvertible(Milliseconds(record.duration)),
            "method": .string(String(request.method.rawValue.prefix(64))),
            "request_id": .string(request.id),
            "status": .stringConvertible(record.code),
            "trace_id": .string(request.traceContext.traceID),
        ]
        if let ofResponse = record.response?.logMetadata {
            metadata.merge(ofResponse) { ofRequest, _ in ofRequest }
        }
        if let message = metadata["msg"]?.description ?? request.query["msg"] {
            metadata["msg"] = .string(String(message.unicodeScalars.prefix(64)))
        }
        if record.ending != .answered { metadata["ending"] = "\(record.ending)" }
        logger.log(level: level, "request", metadata: metadata)
    }
}
