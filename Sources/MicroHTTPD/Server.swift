import HTTPTypes
public import Logging
public import ServiceLifecycle
import Synchronization
public import Tracing

/// An HTTP/1.1 server: libmicrohttpd on one thread of its own, and the handlers of a router.
///
/// It listens from the moment it is made, and serves while ``run()`` runs.
public final class Server: Service {
    /// What a server needs to know beyond its routes.
    public struct Configuration: Sendable {
        /// The name or address to listen on.
        public var host: String
        /// The port to listen on; 0 takes a free one, which ``Server/port`` tells.
        public var port: UInt16
        /// How many connections are served at once; more wait in the backlog.
        public var connectionLimit: UInt32 = 1000
        /// How long a connection may be idle between two requests.
        public var idleTimeout: Duration = .seconds(20)
        /// How long the header section of a request may take: that of a connection's first request
        /// from its beginning, that of another one from the end of the idle timeout.
        public var headerTimeout: Duration = .seconds(10)
        /// How long the content of a request may take.
        public var contentTimeout: Duration = .seconds(30)
        /// How long a client may take to read a response.
        public var sendTimeout: Duration = .seconds(30)
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
    let exchanges = Exchanges()
    let metrics = ServerMetrics()
    let logger: Logger
    let tracer: (any Tracer)?
    let log: @Sendable (AccessRecord) -> Void
    private let socket: Mutex<Socket?>
    private let draining = Atomic(false)

    /// Whether responses are to say that the connection ends with them.
    var isDraining: Bool { draining.load(ordering: .relaxed) }

    /// Listens on the address of `configuration`.
    ///
    /// - Parameters:
    ///   - tracer: has a span for each exchange, which is the handler's `ServiceContext.current`.
    ///   - log: called once for each exchange when it has ended, on libmicrohttpd's thread, which
    ///     waits for it.
    /// - Throws: what the system has against listening there: the port is taken, for one.
    public init(
        _ configuration: Configuration, router: Router, logger: Logger,
        tracer: any Tracer = InstrumentationSystem.tracer,
        log: @escaping @Sendable (AccessRecord) -> Void = { _ in }
    ) throws(SocketError) {
        let socket = try Socket(listeningOn: configuration.host, port: configuration.port)
        self.configuration = configuration
        self.router = router
        self.logger = logger
        self.tracer = tracer is NoOpTracer ? nil : tracer
        self.log = log
        port = socket.port
        self.socket = Mutex(socket)
    }

    /// Notes in metrics and log that an exchange has ended.
    func note(_ record: AccessRecord) {
        metrics.requestEnded(record)
        log(record)
    }

    /// Notes that libmicrohttpd has refused a request, of which nothing else is known.
    func noteRefusal(status: Int) {
        metrics.requestBegan()
        note(
            AccessRecord(
                request: .unknown, route: nil,
                response: Response(status: HTTPResponse.Status(code: status)), duration: .zero,
                ending: .answered))
    }

    /// Serves until graceful shutdown.
    ///
    /// A server runs once. Cancelling its task cuts off whatever is in flight.
    public func run() async throws {
        guard let socket = socket.withLock({ $0.take() }) else {
            preconditionFailure("a server runs once")
        }
        let daemon = try Daemon(socket: socket, server: self)
        var metadata: Logger.Metadata = [
            "connection_limit": .stringConvertible(Int(configuration.connectionLimit)),
            "host": "\(configuration.host)", "port": .stringConvertible(Int(port)),
        ]
        if router.route(of: "/") != nil {
            let host = configuration.host == "0.0.0.0" ? "localhost" : configuration.host
            metadata["page"] = "http://\(host):\(port)/"
        }
        logger.notice("listening", metadata: metadata)
        async let _ = shutDownLateConnections()
        try? await gracefulShutdown()
        await drain(daemon)
    }

    /// Holds the peers to their deadlines, until it is cancelled.
    private func shutDownLateConnections() async {
        // A peer that is let go a tenth of a second late has cost nothing.
        while (try? await Task.sleep(for: .milliseconds(100))) != nil {
            connections.shutDownLate(configuration)
        }
    }

    /// Ends the service without losing a response.
    ///
    /// 1. From now on every response says `Connection: close`, so busy connections end by
    ///    themselves. For the drain delay, new ones are still accepted.
    /// 2. New connections are refused; who has connected is served.
    /// 3. Whoever waits is accepted, whatever arrives is read, whatever is in flight is finished.
    ///    When all that has come to rest, only idle connections are left.
    /// 4. What the timeout cuts off is abandoned, since libmicrohttpd must not stop while a
    ///    connection is suspended; from here on none can be.
    /// 5. libmicrohttpd closes what is left, and its thread ends.
    private func drain(_ daemon: consuming Daemon) async {
        draining.store(true, ordering: .relaxed)
        logger.notice(
            "shutting down",
            metadata: [
                "connections": .stringConvertible(connections.count),
                "drain_delay": "\(configuration.drainDelay)",
                "requests_in_flight": .stringConvertible(exchanges.activity.count),
                "shutdown_timeout": "\(configuration.shutdownTimeout)",
            ])
        try? await Task.sleep(for: configuration.drainDelay)
        do {
            try daemon.refuseConnections()
        } catch {
            logger.warning("still accepting while draining", metadata: ["error": "\(error)"])
        }
        logger.notice(
            "draining",
            metadata: [
                "connections": .stringConvertible(connections.count),
                "requests_in_flight": .stringConvertible(exchanges.activity.count),
            ])
        let cutOff = await waitUntilAtRest(daemon, deadline: .now + configuration.shutdownTimeout)
        if cutOff > 0 {
            logger.warning("requests cut off", metadata: ["count": .stringConvertible(cutOff)])
        }
        exchanges.close()
        await daemon.stop()
        logger.notice("stopped", metadata: ["requests_cut_off": .stringConvertible(cutOff)])
    }

    /// Waits until nothing is in flight, nobody waits to be accepted and nothing to be read, and
    /// none of that has changed for as long as a request may be under way in the network.
    ///
    /// - Returns: the number of exchanges still in flight at `deadline`, or when cancelled.
    private func waitUntilAtRest(
        _ daemon: borrowing Daemon, deadline: ContinuousClock.Instant
    ) async -> Int {
        var lastSample = ContinuousClock.now
        var restingSince = lastSample
        while true {
            let now = ContinuousClock.now
            let (inFlight, last) = exchanges.activity
            let isBusy = inFlight > 0 || daemon.hasBacklog || connections.hasInput
            // Without a sample for so long, the process was frozen, and libmicrohttpd was too.
            let wasFrozen = now - lastSample > .milliseconds(100)
            restingSince =
                isBusy || wasFrozen ? now : max(restingSince, last, connections.lastOpened)
            lastSample = now
            if now - restingSince >= .milliseconds(200) { return 0 }
            // A sample every 10 ms: the kernel does not tell when a queue has become empty.
            guard now < deadline, (try? await Task.sleep(for: .milliseconds(10))) != nil else {
                return inFlight
            }
        }
    }
}
