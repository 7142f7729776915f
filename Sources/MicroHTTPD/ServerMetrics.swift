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
    }

    private static let methods: Set<HTTPRequest.Method> = [
        .get, .head, .post, .put, .delete, .connect, .options, .trace, .patch,
    ]

    private let series = Mutex<[Labels: Series]>([:])
    private let inFlight = Meter(label: "http_requests_in_flight")
    private let connections = Meter(label: "http_connections")

    init() {
        inFlight.set(0)
        connections.set(0)
    }

    /// A request's header section has been read.
    func requestBegan() { inFlight.increment() }

    /// An exchange has ended, after which it takes part in everything but the requests in flight.
    func requestEnded(_ record: AccessRecord) {
        inFlight.decrement()
        let method = record.request.method
        let labels = Labels(
            method: Self.methods.contains(method) ? method.rawValue : "other",
            route: record.route ?? "unmatched", code: record.code)
        let series = series.withLock { all in
            if let known = all[labels] { return known }
            let names = [("method", labels.method), ("route", labels.route)]
            let new = Series(
                requests: Counter(
                    label: "http_requests_total", dimensions: names + [("code", "\(labels.code)")]),
                duration: Timer(label: "http_request_duration_seconds", dimensions: names))
            all[labels] = new
            return new
        }
        series.requests.increment()
        series.duration.recordNanoseconds(Int64(clamping: Int(record.duration / .nanoseconds(1))))
    }

    /// A connection was accepted.
    func connectionOpened() { connections.increment() }

    /// A connection is about to be closed.
    func connectionClosed() { connections.decrement() }
}
