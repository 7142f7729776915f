import ArgumentParser
import Dispatch
import FoundationEssentials
import Glibc
import HTTPTypes
import Logging
import MicroHTTPD
import ServiceLifecycle
import UnixSignals

/// A service as a command: from its command line to its exit code.
struct ServiceCommand<Definition: ServiceDefinition>: ParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: Definition.name, abstract: Definition.abstract,
            discussion:
                "Each option can also be set by the environment variable in <>; the flag wins.",
            version: "1.0.0 (\(kind), libmicrohttpd \(Server.libraryVersion))")
    }

    #if DEBUG
        private static var kind: String { "debug" }
    #else
        private static var kind: String { "release" }
    #endif

    @Option("Port to listen on; 0 takes a free one", variable: "PORT", .wholeNumber(0...65535))
    var port = Definition.port

    @OptionGroup var options: ServiceOptions

    @OptionGroup var own: Definition.Options

    /// See ``ServiceDefinition/main()``.
    static func main() async -> Never {
        // A socket must not become one of the standard streams.
        for stream: CInt in 0...2 where fcntl(stream, F_GETFD) < 0 {
            _ = unsafe open("/dev/null", O_RDWR)
        }
        do {
            let arguments = Array(CommandLine.arguments.dropFirst())
            // Alone first: --help helps, whatever the environment says.
            _ = try parse(arguments)
            try await parse(environment() + arguments).serve()
        } catch  where exitCode(for: error) == .validationFailure {
            failUsage(error, variable: nil)
        } catch  where exitCode(for: error).isSuccess {
            exit(withError: error)  // --help, --version
        } catch {
            fail("\(error)")
        }
        exitNow(EXIT_SUCCESS)
    }

    /// The options that the environment sets, as arguments: those of the command line follow, and
    /// the last one of a flag counts.
    private static func environment() -> [String] {
        var arguments: [String] = []
        // "  --port <PORT>  Port to listen on …"
        for option in helpMessage(columns: .max).matches(of: /(?m)^ +(--[a-z-]+) <([A-Z_]+)>/) {
            let variable = String(option.2)
            guard let value = ProcessInfo.processInfo.environment[variable] else { continue }
            let setting = [String(option.1), value]
            do {
                _ = try parse(setting)
            } catch {
                failUsage(error, variable: variable)
            }
            arguments += setting
        }
        return arguments
    }

    /// Says ArgumentParser's text for a mistake; for an invalid value only that of ``Setting``,
    /// after the name of the flag or variable.
    private static func failUsage(_ error: any Error, variable: String?) -> Never {
        let message = message(for: error)
        let value = message.firstMatch(of: /(?s).* is invalid for '(--[a-z-]+) <[A-Z_]+>': (.*)/)
        let mistake = value.map { "\(variable ?? String($0.1)) \($0.2)" } ?? message
        fail("\(UsageError(mistake))", code: EX_USAGE)
    }

    /// Serves until a first signal has ended it gracefully, or a second one at once.
    private func serve() async throws {
        let address = Socket.authority(options.host, port)
        if options.healthcheck {
            DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(800)) {
                Self.fail("not healthy: no answer on \(address)")
            }
            if (try? CommonRoutes.isHealthy(host: options.host, port: port)) == true { return }
            Self.fail("not healthy: no 200 from /health on \(address)")
        }

        if DescriptorLimit.files < DescriptorLimit.least {
            let limit = "\(DescriptorLimit.least) file descriptors, not \(DescriptorLimit.files)"
            Self.fail("needs a limit of at least \(limit)")
        }
        let handler = LineLogHandler(
            service: Definition.name, format: options.logFormat, logLevel: options.logLevel)
        LoggingSystem.bootstrap { _ in handler }
        let logger = Logger(label: Definition.name)
        var router = Router { error in
            Response(
                error: error.status.reasonPhrase, details: error.details, status: error.status,
                headerFields: error.headerFields)
        }
        let common = CommonRoutes(of: Definition.self, in: &router)
        // Only now: the service's client may open descriptors, and fail hard without them.
        Definition.addRoutes(to: &router, options: own)
        signal(SIGPIPE, SIG_IGN)  // A closed log is no reason to stop.
        // Before anybody can know that the service is there.
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        let server: Server
        do {
            server = try Server(
                options.server(port: port), router: router, logger: logger, log: handler.log)
        } catch {
            Self.fail("cannot listen on \(address): \(error)")
        }
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
                common.endReadiness()
                await group.triggerGracefulShutdown()
            }
        }
        try await group.run()
    }

    /// Ends the process; not by exit(3), whose handlers would run while `URLSession`'s threads
    /// still use what they free.
    private static func exitNow(_ code: CInt) -> Never {
        LineLogHandler.writer.flush()
        _exit(code)
    }

    private static func fail(_ message: String, code: CInt = EXIT_FAILURE) -> Never {
        let line = Array("\(Definition.name): \(message)\n".utf8)
        // There is nobody to tell if that fails.
        _ = unsafe line.withUnsafeBytes { unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
        exitNow(code)
    }
}
