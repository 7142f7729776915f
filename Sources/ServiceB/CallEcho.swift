import HTTPTypes
import Logging
import MicroHTTPD
import ServiceKit

/// `GET /call-echo`: Service A's answer, or why there is none.
struct CallEcho: Sendable {
    let client: EchoClient

    /// 200 with Service A's answer, 503 without.
    func response(to request: Request) async -> Response {
        let message = request.query["msg"] ?? "hello"
        let start = ContinuousClock.now
        var response: Response
        do {
            try await client.echo(message, requestID: request.id)
            response = Response([
                "service_a_response": ["echo": .string(message)],
                "service_b_message": "Service B called A successfully",
            ])
        } catch {
            response = Response(
                error: "Service A is unavailable",
                details: "\(error.reason): \(error.explanation)", status: .serviceUnavailable,
                headerFields: error == .overloaded ? [.retryAfter: "1"] : [:])
            response.logMetadata["reason"] = "\(error.reason)"
        }
        response.logMetadata["upstream_ms"] = .stringConvertible(
            Milliseconds(ContinuousClock.now - start))
        return response
    }
}
