import HTTPTypes
import Logging
import MicroHTTPD
import ServiceKit

/// `GET /call-echo`: Service A's answer, or why there is none.
struct CallEcho: Sendable {
    let client: EchoClient
    private let metrics = UpstreamMetrics()

    init(client: EchoClient) {
        self.client = client
    }

    /// 200 with Service A's answer, 503 without.
    func response(to request: Request) async -> Response {
        let message = request.query["msg"] ?? "hello"
        let start = ContinuousClock.now
        let failure = await failure(of: message, for: request)
        let upstream = ContinuousClock.now - start
        metrics.callEnded(failure, after: upstream)
        var response =
            if let failure {
                Response(
                    error: "Service A is unavailable",
                    details: "\(failure.reason.rawValue): \(failure.explanation)",
                    status: .serviceUnavailable,
                    headerFields: failure == .overloaded ? [.retryAfter: "1"] : [:])
            } else {
                Response([
                    "service_a_response": ["echo": .string(message)],
                    "service_b_message": "Service B called A successfully",
                ])
            }
        let total = ContinuousClock.now - request.received
        response.headerFields[.serverTiming] =
            "upstream;dur=\(Milliseconds(upstream)), total;dur=\(Milliseconds(total))"
        if let failure { response.logMetadata["reason"] = "\(failure.reason.rawValue)" }
        response.logMetadata["calls_in_flight"] = .stringConvertible(client.callsInFlight)
        response.logMetadata["msg"] = "\(message)"
        response.logMetadata["upstream_ms"] = .stringConvertible(Milliseconds(upstream))
        return response
    }

    private func failure(of message: String, for request: Request) async -> CallFailure? {
        do {
            try await client.echo(message, for: request)
            return nil
        } catch {
            return error
        }
    }
}

extension HTTPField.Name {
    /// Where the time went, for a browser's developer tools (W3C Server Timing).
    fileprivate static let serverTiming = Self("Server-Timing")!  // "Server-Timing" is a token.
}
