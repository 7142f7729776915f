import Foundation
import HTTPTypes
import Logging
import MicroHTTPD
import ServiceKit

/// `GET /call-echo`: Service A's answer, or why there is none.
struct CallEcho: Sendable {
    let serviceA: ServiceAURL
    let client: EchoClient
    private let metrics = UpstreamMetrics()

    init(serviceA: ServiceAURL, client: EchoClient) {
        self.serviceA = serviceA
        self.client = client
    }

    /// 200 with Service A's answer, 503 without.
    ///
    /// - Throws: an `HTTPError` for a message that does not fit in a request to Service A.
    func response(to request: Request) async throws -> Response {
        let message = request.query["msg"] ?? "hello"
        guard let url = serviceA.echo(message) else {
            throw HTTPError(
                .uriTooLong, details: "Escaped, the message is too long to be sent to Service A.")
        }
        let start = ContinuousClock.now
        let outcome = await client.echo(message, at: url, for: request)
        let failure = outcome.failure
        let upstream = ContinuousClock.now - start
        metrics.callEnded(failure, after: upstream)
        var response =
            if let failure {
                Response(
                    error: "Service A is unavailable",
                    details: "\(failure.reason.rawValue): \(failure.explanation)",
                    status: .serviceUnavailable,
                    headerFields: failure.reason == .overloaded ? [.retryAfter: "1"] : [:])
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
        if outcome.attempts > 1 {
            response.logMetadata["attempts"] = .stringConvertible(outcome.attempts)
        }
        response.logMetadata["calls_in_flight"] = .stringConvertible(client.callsInFlight)
        response.logMetadata["msg"] = "\(message)"
        response.logMetadata["upstream_ms"] = .stringConvertible(Milliseconds(upstream))
        return response
    }
}

extension HTTPField.Name {
    /// Where the time went, for a browser's developer tools (W3C Server Timing).
    fileprivate static let serverTiming = Self("Server-Timing")!  // "Server-Timing" is a token.
}
