import HTTPTypes
import Metrics
import MicroHTTPD

/// `GET /metrics`: what Prometheus comes for.
struct MetricsPage: Sendable {
    private let process: ProcessMetrics
    private let metrics: PrometheusMetrics

    /// Makes the process' metrics those of swift-metrics; once in a process.
    ///
    /// - Parameter help: a line for each metric that is the service's own.
    init(help: [String: String]) {
        metrics = PrometheusMetrics(help: Self.help.merging(help) { $1 })
        MetricsSystem.bootstrap(metrics)
        process = ProcessMetrics()
    }

    /// The response, with the values of this moment.
    func response() -> Response {
        process.update()
        return Response(
            headerFields: [
                .contentType: "text/plain; version=0.0.4; charset=utf-8",
                .cacheControl: "no-store", .xContentTypeOptions: "nosniff",
            ],
            body: Array(metrics.text.utf8))
    }

    private static let help = [
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
