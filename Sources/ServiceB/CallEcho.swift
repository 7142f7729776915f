import HTTPTypes
import Logging
import Metrics
import MicroHTTPD
import ServiceKit

/// `GET /call-echo`: Service A's answer, or why there is none.
struct CallEcho: Sendable {
    let serviceA: ServiceAURL
    let client: EchoClient
    private let duration = Timer(label: "upstream_request_duration_seconds")
    // All of them from the start: a counter that appears as 1 has no rate.
    private let counters = Dictionary(
        uniqueKeysWithValues: ([nil] + CallFailure.Reason.allCases).map { reason in
            let word = ("reason", reason?.rawValue ?? "ok")
            return (reason, Counter(label: "upstream_requests_total", dimensions: [word]))
        })

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
        let upstream = ContinuousClock.now - start
        counters[outcome.failure?.reason]?.increment()
        duration.record(duration: upstream)
        var metadata: Logger.Metadata = [
            "calls_in_flight": .stringConvertible(client.limit.callsInFlight), "msg": "\(message)",
            "upstream_ms": .stringConvertible(upstream),
        ]
        if outcome.attempts > 1 { metadata["attempts"] = .stringConvertible(outcome.attempts) }
        var response: Response
        if let failure = outcome.failure {
            let reason = failure.reason.rawValue
            metadata["reason"] = "\(reason)"
            response = Response(
                error: "Service A is unavailable", details: "\(reason): \(failure.explanation)",
                status: .serviceUnavailable,
                headerFields: failure.reason == .overloaded ? [.retryAfter: "1"] : [:])
        } else {
            // Its answer is the echo of the message, or else the call has failed.
            response = Response([
                "service_a_response": ["echo": .string(message)],
                "service_b_message": "Service B called A successfully",
            ])
        }
        let total = ContinuousClock.now - request.received
        response.headerFields[.serverTiming] = """
            upstream;dur=\(upstream.textInMilliseconds), total;dur=\(total.textInMilliseconds)
            """
        response.logMetadata = metadata
        return response
    }
}

extension HTTPField.Name {
    /// Where the time went, for a browser's developer tools (W3C Server Timing).
    fileprivate static let serverTiming = Self("Server-Timing")!  // "Server-Timing" is a token.
}
