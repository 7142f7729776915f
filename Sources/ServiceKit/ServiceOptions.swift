public import ArgumentParser
import Logging
import MicroHTTPD

/// The options that both services have.
public struct ServiceOptions: ParsableArguments {
    @Option(
        parsing: .unconditional, help: "Name or address to listen on [HOST] (default: 0.0.0.0).")
    var host: String?

    @Option(
        parsing: .unconditional,
        help:
            "Port; 0 takes a free one, see the log at notice [PORT] (default: 8080 for service-a, 8081 for service-b)."
    )
    var port: String?

    @Option(
        parsing: .unconditional,
        help: "trace, debug, info, notice, warning, error or critical [LOG_LEVEL] (default: info).")
    var logLevel: String?

    @Option(parsing: .unconditional, help: "text or json [LOG_FORMAT] (default: text).")
    var logFormat: String?

    @Option(
        parsing: .unconditional,
        help: "How long to go on accepting after SIGTERM [DRAIN_DELAY] (default: 0s).")
    var drainDelay: String?

    @Option(
        parsing: .unconditional,
        help: "How long requests in flight may take after that [SHUTDOWN_TIMEOUT] (default: 5s).")
    var shutdownTimeout: String?

    @Flag(help: "Ask the service on this host and port for /health; exit with 0 or 1.")
    var healthcheck = false

    /// The options of a command line that has none.
    public init() {}

    /// The server's configuration: flags, environment, defaults.
    func serverConfiguration(defaultPort: UInt16) throws(UsageError) -> Server.Configuration {
        var configuration = Server.Configuration(
            host: try Setting("--host", "HOST", takes: "an address") { $0.isEmpty ? nil : $0 }
                .value(host, default: "0.0.0.0"),
            port: try Setting("--port", "PORT", takes: "a whole number from 0 to 65535") {
                UInt16(plain: $0)
            }.value(port, default: String(defaultPort)))
        configuration.drainDelay = try Setting("--drain-delay", "DRAIN_DELAY", atLeast: .zero)
            .value(drainDelay, default: "0s")
        configuration.shutdownTimeout = try Setting(
            "--shutdown-timeout", "SHUTDOWN_TIMEOUT", atLeast: .zero
        ).value(shutdownTimeout, default: "5s")
        return configuration
    }

    /// The log's level and format: flags, environment, defaults.
    func logging() throws(UsageError) -> (level: Logger.Level, format: LogFormat) {
        let levels = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
        return (
            try Setting("--log-level", "LOG_LEVEL", takes: "one of \(levels)") {
                Logger.Level(rawValue: $0)
            }.value(logLevel, default: "info"),
            try Setting("--log-format", "LOG_FORMAT", takes: "text or json") {
                LogFormat(rawValue: $0)
            }.value(logFormat, default: "text")
        )
    }
}

extension FixedWidthInteger {
    /// The value of plain decimal digits; nil for anything else, a sign included.
    public init?(plain text: String) {
        guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
            return nil
        }
        self.init(text)
    }
}
