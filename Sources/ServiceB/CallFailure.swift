/// Why Service A did not answer: the closed list that the body, the log and the metrics share.
enum CallFailure: Error, Equatable {
    /// Nobody listens.
    case refused
    /// There is no route, or the network or host is down.
    case unreachable
    /// The name does not resolve.
    case dns
    /// There was no complete, valid answer within the deadline, whatever the cause.
    case timeout(Duration)
    /// The connection was reset or closed before a complete answer.
    case reset
    /// The answer's status is not 200.
    case badStatus(Int)
    /// The answer is not HTTP, not JSON, not the echo of the message, or too large.
    case badAnswer
    /// Too many calls are in flight; nothing was sent.
    case overloaded

    /// The words, one for each failure.
    enum Reason: String, CaseIterable {
        case refused, unreachable, dns, timeout, reset
        case badStatus = "bad_status"
        case badAnswer = "bad_answer"
        case overloaded
    }

    /// The word for this one.
    var reason: Reason {
        switch self {
        case .refused: .refused
        case .unreachable: .unreachable
        case .dns: .dns
        case .timeout: .timeout
        case .reset: .reset
        case .badStatus: .badStatus
        case .badAnswer: .badAnswer
        case .overloaded: .overloaded
        }
    }

    /// A sentence for whoever asked; it names no address.
    var explanation: String {
        switch self {
        case .refused: "nobody listens at its address; is it running?"
        case .unreachable: "there is no way to its host"
        case .dns: "its name does not resolve"
        case .timeout(let limit): "no complete answer within \(limit.inSeconds)"
        case .reset: "it closed the connection before its answer was complete"
        case .badStatus(let status): "it answered with status \(status) instead of 200"
        case .badAnswer: "its answer is not the echo of the message"
        case .overloaded: "too many calls of it are in flight; try again in a second"
        }
    }
}

extension Duration {
    /// As in `0.7 seconds`: `description` says 0.7000000000000002 for that.
    fileprivate var inSeconds: String {
        let (seconds, attoseconds) = components
        return "\(Double(seconds * 1_000_000_000 + attoseconds / 1_000_000_000) / 1e9) seconds"
    }
}
