import Metrics
import Synchronization

/// The limit of calls in flight.
final class CallLimit: Sendable {
    private let limit: Int
    private let count = Atomic(0)
    private let gauge = Meter(label: "upstream_requests_in_flight")

    /// Makes a limit of `limit` calls.
    init(_ limit: Int) {
        self.limit = limit
        gauge.set(0)
    }

    /// The calls in flight.
    var callsInFlight: Int { count.load(ordering: .relaxed) }

    /// Admits a call, unless the limit is reached.
    func enter() -> Bool {
        guard count.add(1, ordering: .relaxed).newValue <= limit else {
            count.subtract(1, ordering: .relaxed)
            return false
        }
        gauge.increment()
        return true
    }

    /// Ends a call that was admitted.
    func leave() {
        count.subtract(1, ordering: .relaxed)
        gauge.decrement()
    }
}
