import HTTPTypes
import Metrics
import MicroHTTPD
import Synchronization

/// The routes that every service has: `/health`, `/ready`, `/metrics` and `/openapi.yaml`.
final class CommonRoutes: Sendable {
    private let isShuttingDown = Atomic(false)

    /// Adds those of `service` to `router`, and bootstraps swift-metrics; once in a process.
    init(of service: (some ServiceDefinition).Type, in router: inout Router) {
        let metrics = PrometheusMetrics(help: Self.metricsHelp.merging(service.metricsHelp) { $1 })
        MetricsSystem.bootstrap(metrics)
        let process = ProcessMetrics()
        let description = Response(
            headerFields: [.contentType: "application/yaml"],
            body: service.apiDescription + PackageResources.openapi_yaml)
        router.get("/health") { _ in Response(["status": "ok"]) }
        router.get("/ready") { [self] _ in
            guard isShuttingDown.load(ordering: .relaxed) else {
                return Response(["status": "ready"])
            }
            return Response(
                error: "Shutting down", details: "This process accepts no more requests.",
                status: .serviceUnavailable)
        }
        router.get("/metrics") { _ in
            process.update()
            return Response(
                headerFields: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
                body: Array(metrics.text.utf8))
        }
        router.get("/openapi.yaml") { _ in description }
    }

    func endReadiness() {
        isShuttingDown.store(true, ordering: .relaxed)
    }

    /// Whether a service on this machine answers `/health` with 200, for images without curl.
    static func isHealthy(host: String, port: UInt16) throws -> Bool {
        // Linux takes 0.0.0.0 and :: for this machine.
        let socket = try Socket(connectingTo: host, port: port, timeout: .seconds(1))
        try socket.send("GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8)
        let expected = Array("HTTP/1.1 200 ".utf8)
        var answer: [UInt8] = []
        while answer.count < expected.count, case let bytes = try socket.receive(), !bytes.isEmpty {
            answer += bytes
        }
        return answer.starts(with: expected)
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
