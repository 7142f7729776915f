/// Why Service A did not answer: one reason of the closed list that the body, the log and the
/// metrics share.
struct CallFailure: Sendable {
    enum Reason: String, CaseIterable {
        case refused, unreachable, dns, timeout, reset
        case badStatus = "bad_status"
        case badAnswer = "bad_answer"
        case overloaded
    }

    let reason: Reason

    /// A sentence for the client; it names no address.
    let explanation: String

    private init(_ reason: Reason, _ explanation: String) {
        self.reason = reason
        self.explanation = explanation
    }

    static let refused = Self(.refused, "nobody listens at its address; is it running?")
    static let unreachable = Self(.unreachable, "there is no way to its host")
    static let dns = Self(.dns, "its name does not resolve")

    /// There was no complete, valid answer within `limit`, whatever the cause.
    static func timeout(_ limit: Duration) -> Self {
        // Rounded: the double of 0.009 seconds is 0.009000000000000001.
        let seconds = (limit / .microseconds(1)).rounded() / 1e6
        return Self(.timeout, "no complete answer within \(seconds) seconds")
    }

    static let reset = Self(.reset, "it closed the connection before its answer was complete")

    static func badStatus(_ status: Int) -> Self {
        Self(.badStatus, "it answered with status \(status) instead of 200")
    }

    /// The answer is not HTTP, not JSON, not the echo of the message, or too large.
    static let badAnswer = Self(.badAnswer, "its answer is not the echo of the message")

    static let overloaded = Self(
        .overloaded, "too many calls of it are in flight; try again in a second")
}
