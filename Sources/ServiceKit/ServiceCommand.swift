public import ArgumentParser
import Dispatch
import Glibc
public import Logging
public import MicroHTTPD
import ServiceLifecycle
import UnixSignals

/// A service as a command: from its command line to its exit code.
public protocol ServiceCommand: ParsableCommand {
    /// The port where neither flag nor environment names one.
    static var defaultPort: UInt16 { get }

    /// A line of explanation for each metric of this service that not every service has.
    static var metricsHelp: [String: String] { get }

    /// The first half of what is served as `/openapi.yaml`: everything but the common components.
    static var apiDescription: [UInt8] { get }

    /// The options that both services have.
    var options: ServiceOptions { get }

    /// Adds the routes that this service is for to the common ones.
    ///
    /// - Throws: ``UsageError`` for an option of its own that cannot be used.
    func addRoutes(to router: inout Router, logger: Logger) throws(UsageError)
}

extension ServiceCommand {
    /// None.
    public static var metricsHelp: [String: String] { [:] }

    /// Runs the service and ends the process.
    ///
    /// Exit codes: 0, ended as asked; 1, too few descriptors, cannot listen, or not healthy; 64,
    /// wrong usage.
    public static func runService() async -> Never {
        // A socket must not become one of the standard streams.
        for stream: CInt in 0...2 where fcntl(stream, F_GETFD) < 0 {
            _ = unsafe open("/dev/null", O_RDWR)
        }
        do {
            var command = try parseAsRoot()
            if let service = command as? Self {
                try await service.serve()
            } else {
                try command.run()  // --help
            }
        } catch let error as UsageError {
            fail("\(error)", code: EX_USAGE)
        } catch  where exitCode(for: error) == .validationFailure {
            fail("\(UsageError(message(for: error)))", code: EX_USAGE)
        } catch  where exitCode(for: error).isSuccess {
            exit(withError: error)  // --version
        } catch {
            fail("\(error)", code: EXIT_FAILURE)
        }
        exitNow(EXIT_SUCCESS)
    }

    private func serve() async throws {
        var configuration = try options.serverConfiguration(defaultPort: Self.defaultPort)
        let (level, format) = try options.logging()
        if DescriptorLimit.files < DescriptorLimit.least, !options.healthcheck {
            let limit = "\(DescriptorLimit.least) file descriptors, not \(DescriptorLimit.files)"
            Self.fail("needs a limit of at least \(limit)", code: EXIT_FAILURE)
        }
        let readiness = Readiness()
        let metricsPage = MetricsPage(help: Self.metricsHelp)
        let description = APIDescription(Self.apiDescription)
        var router = Router { refusal in Response(refusal) }
        router.get("/health") { _ in Response(["status": "ok"]) }
        router.get("/ready") { _ in readiness.response() }
        router.get("/metrics") { _ in metricsPage.response() }
        router.get("/openapi.yaml") { _ in description.response }
        let logger = Logger(label: Self.name) { name in
            LineLogHandler(service: name, format: format, logLevel: level)
        }
        try addRoutes(to: &router, logger: logger)

        let address = "\(configuration.host):\(configuration.port)"
        if options.healthcheck {
            DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(800)) {
                Self.fail("not healthy: no answer on \(address)", code: EXIT_FAILURE)
            }
            if HealthCheck.passes(host: configuration.host, port: configuration.port) { return }
            Self.fail("not healthy: no 200 from /health on \(address)", code: EXIT_FAILURE)
        }

        configuration.connectionLimit = UInt32(DescriptorLimit.connections)
        signal(SIGPIPE, SIG_IGN)  // A log that nobody reads any more is no reason to stop.
        // Before anybody can know that the service is there.
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        let server: Server
        do {
            server = try Server(
                configuration, router: router, logger: logger, log: AccessLog(logger: logger).write)
        } catch {
            Self.fail("cannot listen on \(address): \(error)", code: EXIT_FAILURE)
        }
        if configuration.port == 0, level > .notice {
            // At this level the server does not tell, and nobody else can.
            var notices = logger
            notices.logLevel = .notice
            notices.notice(
                "listening",
                metadata: [
                    "host": "\(configuration.host)", "port": .stringConvertible(Int(server.port)),
                ])
        }
        try await run(server, readiness: readiness, signals: signals, logger: logger)
    }

    /// Runs the server until a first signal has ended it gracefully, or a second one at once.
    private func run(
        _ server: Server, readiness: Readiness, signals: UnixSignalsSequence, logger: Logger
    ) async throws {
        let group = ServiceGroup(services: [server], logger: logger)
        Task {
            var isFirst = true
            for await signal in signals {
                guard isFirst else {
                    logger.warning("ended at once", metadata: ["signal": "\(signal)"])
                    Self.exitNow(128 + signal.rawValue)
                }
                isFirst = false
                logger.notice("not ready any more", metadata: ["signal": "\(signal)"])
                readiness.end()
                await group.triggerGracefulShutdown()
            }
        }
        try await group.run()
    }

    /// Ends the process; not by exit(3), whose handlers would run while `URLSession`'s threads still
    /// use what they free.
    private static func exitNow(_ code: CInt) -> Never {
        LineLogHandler.flush()
        _exit(code)
    }

    private static var name: String { configuration.commandName ?? "\(self)" }

    private static func fail(_ message: String, code: CInt) -> Never {
        let line = Array("\(name): \(message)\n".utf8)
        // There is nobody to tell if that fails.
        _ = unsafe line.withUnsafeBytes { unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
        exitNow(code)
    }
}
