import HTTPTypes
import Metrics
import MicroHTTPD
import Synchronization

/// The routes that every service has: `/health`, `/ready`, `/metrics` and `/openapi.yaml`.
final class CommonRoutes: Sendable {
    private let isShuttingDown = Atomic(false)
    private let metrics: PrometheusMetrics
    private let process: ProcessMetrics
    private let apiDescription: Response

    /// Makes the process' metrics those of swift-metrics; once in a process.
    ///
    /// - Parameters:
    ///   - metricsHelp: a line of explanation for each metric that is the service's own.
    ///   - apiDescription: the service's own half of its OpenAPI description.
    init(metricsHelp: [String: String], apiDescription: [UInt8]) {
        metrics = PrometheusMetrics(help: Self.metricsHelp.merging(metricsHelp) { $1 })
        MetricsSystem.bootstrap(metrics)
        process = ProcessMetrics()
        self.apiDescription = Response(
            headerFields: [.contentType: "application/yaml"],
            body: apiDescription + PackageResources.openapi_yaml)
    }

    /// Adds the routes.
    func add(to router: inout Router) {
        router.get("/health") { _ in Response(["status": "ok"]) }
        router.get("/ready") { [self] _ in
            guard isShuttingDown.load(ordering: .relaxed) else {
                return Response(["status": "ready"])
            }
            return Response(
                error: "Shutting down", details: "This process accepts no more requests.",
                status: .serviceUnavailable)
        }
        router.get("/metrics") { [self] _ in
            process.update()
            return Response(
                headerFields: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
                body: Array(metrics.text.utf8))
        }
        router.get("/openapi.yaml") { [self] _ in apiDescription }
    }

    /// Makes `/ready` answer 503 from now on.
    func endReadiness() {
        isShuttingDown.store(true, ordering: .relaxed)
    }

    private static let metricsHelp = [
        "http_connections": "Connections that are open.",
        "http_request_duration_seconds":
            "From a request's header section to the last byte of its response.",
        "http_requests_in_flight": "Requests whose response is not sent yet.",
        "http_requests_total":
            "Requests that have ended; code 499: the client left first.",
        "process_open_fds": "Open file descriptors.",
        "process_resident_memory_bytes": "Resident memory.",
        "process_start_time_seconds": "When the process started, in seconds since 1970.",
        "process_threads": "Threads.",
    ]
}
