import HTTPTypes
import Logging
import MicroHTTPD

/// The lines of the log that tell of requests, one for each.
struct AccessLog: Sendable {
    let logger: Logger

    /// Paths that are asked for all the time and by machines.
    private static let probes: Set = ["/health", "/ready"]

    /// Writes the line of one exchange: probes at debug, failures of ours at error.
    func write(_ record: AccessRecord) {
        // Where nothing was sent: 503 if that was our doing, or else what nginx has for it.
        let status = record.response?.status.code ?? (record.ending == .cutOff ? 503 : 499)
        let level: Logger.Level =
            if let route = record.route, Self.probes.contains(route) {
                .debug
            } else if status >= 500 {
                .error
            } else {
                .info
            }
        guard level >= logger.logLevel else { return }
        var metadata = record.response?.logMetadata ?? [:]
        metadata["endpoint"] = "\(record.route ?? "unmatched")"
        metadata["method"] = "\(record.request.method.rawValue.prefix(64))"
        metadata["status"] = .stringConvertible(status)
        metadata["latency_ms"] = .stringConvertible(Milliseconds(record.duration))
        metadata["request_id"] = "\(record.request.id)"
        if let message = record.request.query["msg"] {
            metadata["msg"] = "\(String(message.unicodeScalars.prefix(64)))"
        }
        if record.ending != .answered { metadata["ending"] = "\(record.ending)" }
        logger.log(level: level, "request", metadata: metadata)
    }
}
