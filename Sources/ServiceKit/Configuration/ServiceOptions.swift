import ArgumentParser
import FoundationEssentials
import HTTPTypes
import Logging
import MicroHTTPD

/// The options that all services share; not the port, whose default differs.
struct ServiceOptions: ParsableArguments {
    @Option(
        "Name or address to listen on", variable: "HOST",
        Setting(takes: "a name or an address") { text in
            let address = text.wholeMatch(of: /([0-9A-Fa-f:.]+)(%[!-~]+)?/)?.1
            let isAddress = address.map { Socket.isIPv6(Array($0.utf8)[...]) } ?? false
            return isAddress || text.wholeMatch(of: /[0-9A-Za-z._-]+/) != nil ? text : nil
        })
    var host = "0.0.0.0"

    @Option(
        "Lowest level that is logged: trace, debug, info, notice, warning, error or critical",
        variable: "LOG_LEVEL", .name)
    var logLevel = Logger.Level.info

    @Option("Format of the log: text or json", variable: "LOG_FORMAT", .name)
    var logFormat = LogFormat.text

    @Option(
        "How long to go on accepting connections after SIGTERM", variable: "DRAIN_DELAY",
        .duration(atLeast: .zero))
    var drainDelay = defaults.drainDelay

    @Option(
        "How long requests in flight may take after that", variable: "SHUTDOWN_TIMEOUT",
        .duration(atLeast: .zero))
    var shutdownTimeout = defaults.shutdownTimeout

    @Option("How long a connection may be idle", variable: "IDLE_TIMEOUT", .duration())
    var idleTimeout = defaults.idleTimeout

    @Option("How long a header section may take", variable: "HEADER_TIMEOUT", .duration())
    var headerTimeout = defaults.headerTimeout

    @Option("How long the content of a request may take", variable: "CONTENT_TIMEOUT", .duration())
    var contentTimeout = defaults.contentTimeout

    @Option("How long a client may take to read a response", variable: "SEND_TIMEOUT", .duration())
    var sendTimeout = defaults.sendTimeout

    @Option(
        "Threads that serve connections", variable: "THREADS",
        .wholeNumber(1...64, text: { _ in "one for each processor" }))
    var threads = min(64, ProcessInfo.processInfo.activeProcessorCount)

    @Flag(help: "Ask the service on this host and port for /health; exit with 0 or 1.")
    var healthcheck = false

    private static let defaults = Server.Configuration()

    func server(port: UInt16) -> Server.Configuration {
        var configuration = Server.Configuration(host: host, port: port)
        // The kernel does not spread a few connections evenly, and each thread has its own limit.
        let threads = max(1, min(threads, DescriptorLimit.connections / 64))
        configuration.threads = threads
        // Each thread but the first has four more files of its own.
        configuration.connectionLimit = UInt32(DescriptorLimit.connections - 4 * (threads - 1))
        configuration.headerFields = [.cacheControl: "no-store", .xContentTypeOptions: "nosniff"]
        configuration.drainDelay = drainDelay
        configuration.shutdownTimeout = shutdownTimeout
        configuration.idleTimeout = idleTimeout
        configuration.headerTimeout = headerTimeout
        configuration.contentTimeout = contentTimeout
        configuration.sendTimeout = sendTimeout
        return configuration
    }
}
