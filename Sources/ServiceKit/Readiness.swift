import HTTPTypes
import MicroHTTPD
import Synchronization

/// Whether new requests should be sent to this process.
final class Readiness: Sendable {
    private let isShuttingDown = Atomic(false)

    /// Notes that shutdown has begun.
    func end() {
        isShuttingDown.store(true, ordering: .relaxed)
    }

    /// The response to `GET /ready`.
    func response() -> Response {
        if isShuttingDown.load(ordering: .relaxed) {
            return Response(
                error: "Shutting down", details: "This process takes no more requests.",
                status: .serviceUnavailable)
        }
        return Response(["status": "ready"])
    }
}
