import Metrics

/// What Service B counts and measures of its calls of Service A.
struct UpstreamMetrics: Sendable {
    /// A line of explanation for each metric.
    static let help = [
        "upstream_hedges_total": "Calls of Service A that were made a second time.",
        "upstream_hedges_won_total": "Calls whose second attempt had the answer.",
        "upstream_request_duration_seconds": "From a call of Service A to its outcome.",
        "upstream_requests_in_flight": "Calls of Service A that hold one of the max-calls places.",
        "upstream_requests_total": "Calls of Service A by their outcome.",
    ]

    private let duration = Timer(label: "upstream_request_duration_seconds")
    private let answered = Self.counter("ok")
    // All of them from the start: a counter that appears as 1 has no rate.
    private let failed = Dictionary(
        uniqueKeysWithValues: CallFailure.Reason.allCases.map { ($0, Self.counter($0.rawValue)) })

    /// A call has ended, with `failure` or else with an answer.
    func callEnded(_ failure: CallFailure?, after time: Duration) {
        (failure.map { failed[$0.reason] } ?? answered)?.increment()
        duration.record(duration: time)
    }

    private static func counter(_ reason: String) -> Counter {
        Counter(label: "upstream_requests_total", dimensions: [("reason", reason)])
    }
}
