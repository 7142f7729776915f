import HTTPTypes
import Metrics
import Synchronization

/// What a server counts and measures, through swift-metrics.
///
/// Every label's value comes from a closed list, so that no request can add a series.
final class ServerMetrics: Sendable {
    private struct Labels: Hashable {
        let method: String
        let route: String
        let code: Int
    }

    private struct Series {
        let requests: Counter
        let duration: Timer

        init(_ labels: Labels) {
            let names = [("method", labels.method), ("route", labels.route)]
            requests = Counter(
                label: "http_requests_total", dimensions: names + [("code", "\(labels.code)")])
            duration = Timer(label: "http_request_duration_seconds", dimensions: names)
        }
    }

    private struct State {
        var all: [Labels: Series] = [:]
        /// The series of the previous request, usually this one's too.
        var last: (labels: Labels, series: Series)?
    }

    private let state = Mutex(State())

    /// Counts an exchange that has ended.
    func note(_ record: AccessRecord) {
        let labels = Labels(
            method: Self.label(record.request.method), route: record.route ?? "unmatched",
            code: record.code)
        let series = state.withLock { state in
            if let last = state.last, last.labels == labels { return last.series }
            let series = state.all[labels] ?? Series(labels)
            state.all[labels] = series
            state.last = (labels, series)
            return series
        }
        series.requests.increment()
        series.duration.recordNanoseconds(record.duration.nanoseconds)
    }

    private static func label(_ method: HTTPRequest.Method) -> String {
        switch method {
        case .get, .head, .post, .put, .delete, .connect, .options, .trace, .patch: method.rawValue
        default: "other"
        }
    }
}

extension Duration {
    /// In nanoseconds; `Timer.record(duration:)` costs twice as much.
    fileprivate var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
