public import Logging

/// Writes each event as one line on standard output.
///
/// swift-log's own handler neither escapes what it is given nor writes JSON.
public struct LineLogHandler: LogHandler {
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

    /// Writes the line of `event`, whole, on any thread.
    public func log(event: LogEvent) {
        let fields = metadata.merging(event.metadata ?? [:]) { $1 }
        StandardStream.output.write(line: format.line(event, service: service, metadata: fields))
    }
}
