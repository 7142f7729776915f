public import HTTPTypes
public import Logging
import Metrics
public import ServiceLifecycle
import Synchronization
public import Tracing

/// An HTTP/1.1 server: libmicrohttpd on threads of its own, and the handlers of a router.
///
/// It listens from the moment it is made, and serves while ``run()`` runs.
public final class Server: Service {
    /// What a server needs to know beyond its routes.
    public struct Configuration: Sendable {
        /// The name or address to listen on.
        public var host: String
        /// The port to listen on; 0 takes a free one, which ``Server/port`` reports.
        public var port: UInt16
        /// How many connections are served at once; more wait in the backlog.
        ///
        /// Each costs some 26 KiB, of which libmicrohttpd's buffers are 24.
        public var connectionLimit: UInt32 = 1000
        /// How many of libmicrohttpd's threads serve them, each with a socket and a share of the limit.
        public var threads = 1
        /// How long a connection may be idle between two requests.
        public var idleTimeout: Duration = .seconds(20)
        /// How long a header section may take: for a connection's first request from its opening,
        /// for later ones from the end of the idle timeout.
        public var headerTimeout: Duration = .seconds(10)
        /// How long the content of a request may take.
        public var contentTimeout: Duration = .seconds(30)
        /// How long a client may take to read a response.
        public var sendTimeout: Duration = .seconds(30)
        /// The fields that every response has, beside its own.
        public var headerFields: HTTPFields = [:]
        /// How long to go on accepting connections once graceful shutdown has begun.
        public var drainDelay: Duration = .zero
        /// How long exchanges in flight may take after that.
        public var shutdownTimeout: Duration = .seconds(5)

        /// Makes a configuration; all but the address have defaults.
        public init(host: String = "127.0.0.1", port: UInt16 = 0) {
            self.host = host
            self.port = port
        }
    }

    /// The port that the server listens on.
    public let port: UInt16

    let configuration: Configuration
    let router: Router
    let connections = Connections()
    let requestsInFlight = Meter(label: "http_requests_in_flight")
    let accessLog: AccessLog
    let logger: Logger
    let tracer: (any Tracer)?
    private let listener: Mutex<Listener?>

    /// Whether the server shuts down: ``ConnectionRecord/keepsAlive(after:)``.
    let isDraining = Atomic(false)

    /// The fields of the configuration, in the form that is sent: walking `HTTPFields` costs more.
    let commonFields: [(name: String, value: String)]

    /// Listens on the address of `configuration`.
    ///
    /// - Parameters:
    ///   - configuration: the address, the limits and the deadlines.
    ///   - router: the handlers.
    ///   - logger: gets the server's own events, such as start and shutdown.
    ///   - tracer: makes a span for each exchange, which is the handler's `ServiceContext.current`.
    ///   - log: called once for each exchange when it has ended, on libmicrohttpd's thread, which
    ///     waits for it.
    /// - Throws: ``SocketError`` if the address cannot be bound, for example because the port is in
    ///   use.
    public init(
        _ configuration: Configuration, router: Router, logger: Logger,
        tracer: any Tracer = InstrumentationSystem.tracer,
        log: @escaping @Sendable (AccessRecord) -> Void = { _ in }
    ) throws(SocketError) {
        let listener = try Listener(
            host: configuration.host, port: configuration.port, count: configuration.threads)
        self.configuration = configuration
        commonFields = configuration.headerFields.map { ($0.name.rawName, $0.value) }
        self.router = router
        self.logger = logger
        self.tracer = tracer is NoOpTracer ? nil : tracer
        accessLog = AccessLog(write: log)
        port = listener.port
        self.listener = Mutex(listener)
    }

    /// Serves until graceful shutdown.
    ///
    /// A server runs once. Cancelling its task cuts off the requests in flight.
    ///
    /// - Throws: ``SocketError`` if libmicrohttpd does not start.
    public func run() async throws {
        guard let listener = listener.withLock({ $0.take() }) else {
            preconditionFailure("a server runs once")
        }
        let daemon = try Daemon(listener: listener, server: self)
        var metadata: Logger.Metadata = [
            "connection_limit": .stringConvertible(Int(configuration.connectionLimit)),
            "host": "\(configuration.host)", "port": .stringConvertible(Int(port)),
            "threads": .stringConvertible(configuration.threads),
        ]
        if router.route(of: "/") != nil {
            let host = configuration.host
            let name = ["0.0.0.0", "::"].contains(host) ? "localhost" : host
            metadata["page"] = "http://\(Socket.authority(name, port))/"
        }
        // Nobody else knows a port that the system has chosen.
        var notices = logger
        if configuration.port == 0 { notices.logLevel = min(notices.logLevel, .notice) }
        notices.notice("listening", metadata: metadata)
        async let _ = shutDownLateConnections()
        try? await gracefulShutdown()
        await drain(daemon)
    }

    /// Closes connections that miss their deadlines, until it is cancelled.
    private func shutDownLateConnections() async {
        var last = ContinuousClock.now
        // A peer that is closed a tenth of a second late has cost nothing.
        while (try? await Task.sleep(for: .milliseconds(100))) != nil {
            // The process was frozen: first, libmicrohttpd reads what came in time.
            if .now - last > .seconds(1) { try? await Task.sleep(for: .milliseconds(100)) }
            connections.shutDownLate(configuration)
            last = .now
        }
    }
}
