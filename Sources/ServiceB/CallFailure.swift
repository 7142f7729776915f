/// Why Service A did not answer: one reason of the closed list that the body, the log and the
/// metrics share.
struct CallFailure: Sendable, Equatable {
    /// The words, one for each failure.
    enum Reason: String, CaseIterable {
        case refused, unreachable, dns, timeout, reset
        case badStatus = "bad_status"
        case badAnswer = "bad_answer"
        case overloaded
    }

    let reason: Reason

    /// A sentence for the client; it names no address.
    let explanation: String

    /// Nobody listens.
    static let refused = Self(
        reason: .refused, explanation: "nobody listens at its address; is it running?")

    /// There is no route, or the network or host is down.
    static let unreachable = Self(
        reason: .unreachable, explanation: "there is no way to its host")

    /// The name does not resolve.
    static let dns = Self(reason: .dns, explanation: "its name does not resolve")

    /// There was no complete, valid answer within `limit`, whatever the cause.
    static func timeout(_ limit: Duration) -> Self {
        Self(reason: .timeout, explanation: "no complete answer within \(limit.inSeconds)")
    }

    /// The connection was reset or closed before a complete answer.
    static let reset = Self(
        reason: .reset, explanation: "it closed the connection before its answer was complete")

    /// The answer's status is not 200.
    static func badStatus(_ status: Int) -> Self {
        Self(
            reason: .badStatus, explanation: "it answered with status \(status) instead of 200")
    }

    /// The answer is not HTTP, not JSON, not the echo of the message, or too large.
    static let badAnswer = Self(
        reason: .badAnswer, explanation: "its answer is not the echo of the message")

    /// The limit of calls in flight is reached; nothing was sent.
    static let overloaded = Self(
        reason: .overloaded,
        explanation: "too many calls of it are in flight; try again in a second")
}

extension Duration {
    /// As in `0.7 seconds`: `description` says 0.7000000000000002 for that.
    fileprivate var inSeconds: String {
        let (seconds, attoseconds) = components
        return "\(Double(seconds * 1_000_000_000 + attoseconds / 1_000_000_000) / 1e9) seconds"
    }
}
