package import Logging
package import MicroHTTPD
import ServiceLifecycle
package import Tracing

/// Serves `router` in this process while `body` runs, on a thread of its own, then shuts down.
package func serving<Value: Sendable>(
    _ router: Router, drainDelay: Duration = .zero, shutdownTimeout: Duration = .seconds(5),
    tracer: any Tracer = NoOpTracer(), connectionLimit: UInt32 = 1000,
    configure: (inout Server.Configuration) -> Void = { _ in },
    logger: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
    log: @escaping @Sendable (AccessRecord) -> Void = { _ in },
    body:
        @escaping @Sendable (_ port: UInt16, _ shutDown: @escaping @Sendable () -> Void) throws
        -> Value
) async throws -> Value {
    var configuration = Server.Configuration()
    configuration.connectionLimit = connectionLimit
    configure(&configuration)
    configuration.drainDelay = drainDelay
    configuration.shutdownTimeout = shutdownTimeout
    let server = try Server(configuration, router: router, logger: logger, tracer: tracer, log: log)
    let group = ServiceGroup(services: [server], logger: logger)
    async let running: Void = group.run()
    let result: Result<Value, any Error>
    do {
        result = .success(
            try await onThread {
                try body(server.port) { Task { await group.triggerGracefulShutdown() } }
            })
    } catch {
        result = .failure(error)
    }
    await group.triggerGracefulShutdown()
    try await running
    return try result.get()
}
