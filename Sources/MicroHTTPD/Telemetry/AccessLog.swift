import HTTPTypes
import Metrics
import Synchronization

/// What log, metrics and traces need to know about one exchange, made when it has ended.
public struct AccessRecord: Sendable {
    /// The request.
    public let request: Request

    /// The path of the route; nil where no route has the request's path.
    public let route: String?

    /// The response; nil where the exchange ended before there was one to send.
    public let response: Response?

    /// The status of the response if that was sent; 499, which is nginx's, for a client that left
    /// first, and 503 for an exchange that was cut off.
    public var code: Int {
        switch ending {
        case .answered: response?.status.code ?? 499
        case .clientLeft: 499
        case .cutOff: 503
        }
    }

    /// From the request's header section to the last byte of the response.
    public let duration: Duration

    /// How the exchange ended.
    public let ending: Ending

    /// The ways an exchange can end.
    public enum Ending: Sendable {
        /// The response was sent, whole.
        case answered
        /// The connection broke first, usually because the client closed it.
        case clientLeft
        /// The shutdown timeout passed first.
        case cutOff
    }
}

/// The one place where the end of an exchange is noted: in swift-metrics and in the server's log.
///
/// Every label's value comes from a closed list, so that no request can add a series.
final class AccessLog: Sendable {
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
    private let write: @Sendable (AccessRecord) -> Void

    init(write: @escaping @Sendable (AccessRecord) -> Void) {
        self.write = write
    }

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
        series.duration.record(duration: record.duration)
        write(record)
    }

    private static func label(_ method: HTTPRequest.Method) -> String {
        switch method {
        case .get, .head, .post, .put, .delete, .connect, .options, .trace, .patch: method.rawValue
        default: "other"
        }
    }
}
