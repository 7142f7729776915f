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
            "Port; 0 takes a free one, see the log [PORT] (default: 8080 for service-a, 8081 for service-b)."
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

    @Option(
        parsing: .unconditional,
        help: "How long a connection may be idle [IDLE_TIMEOUT] (default: 20s).")
    var idleTimeout: String?

    @Option(
        parsing: .unconditional,
        help: "How long a request's header section may take [HEADER_TIMEOUT] (default: 10s).")
    var headerTimeout: String?

    @Option(
        parsing: .unconditional,
        help: "How long a request's content may take [CONTENT_TIMEOUT] (default: 30s).")
    var contentTimeout: String?

    @Option(
        parsing: .unconditional,
        help: "How long a client may take to read a response [SEND_TIMEOUT] (default: 30s).")
    var sendTimeout: String?

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
        configuration.drainDelay = try duration("drain-delay", drainDelay, "0s", atLeast: .zero)
        configuration.shutdownTimeout = try duration(
            "shutdown-timeout", shutdownTimeout, "5s", atLeast: .zero)
        configuration.idleTimeout = try duration("idle-timeout", idleTimeout, "20s")
        configuration.headerTimeout = try duration("header-timeout", headerTimeout, "10s")
        configuration.contentTimeout = try duration("content-timeout", contentTimeout, "30s")
        configuration.sendTimeout = try duration("send-timeout", sendTimeout, "30s")
        return configuration
    }

    private func duration(
        _ name: String, _ argument: String?, _ text: String,
        atLeast minimum: Duration = .milliseconds(1)
    ) throws(UsageError) -> Duration {
        let variable = name.uppercased().replacing("-", with: "_")
        return try Setting("--\(name)", variable, atLeast: minimum).value(argument, default: text)
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
