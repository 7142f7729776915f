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
        /// The series of the request before, which is most often this one's, too.
        var last: (labels: Labels, series: Series)?
    }

    private let state = Mutex(State())
    private let inFlight = Meter(label: "http_requests_in_flight")
    private let connections = Meter(label: "http_connections")

    init() {
        inFlight.set(0)
        connections.set(0)
    }

    /// A request's header section has been read.
    func requestBegan() { inFlight.increment() }

    /// An exchange has ended: it counts, and is not in flight any more.
    func requestEnded(_ record: AccessRecord) {
        inFlight.decrement()
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
        series.duration.record(duration: record.duration)
    }

    private static func label(_ method: HTTPRequest.Method) -> String {
        switch method {
        case .get, .head, .post, .put, .delete, .connect, .options, .trace, .patch: method.rawValue
        default: "other"
        }
    }

    /// A connection was accepted.
    func connectionOpened() { connections.increment() }

    /// A connection is about to be closed.
    func connectionClosed() { connections.decrement() }
}
