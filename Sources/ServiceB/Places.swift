import Metrics
import Synchronization

/// The places that calls of Service A take while they are in flight.
final class Places: Sendable {
    private let limit: Int
    private let count = Atomic(0)
    private let gauge = Meter(label: "upstream_requests_in_flight")

    /// Makes `limit` places.
    init(limit: Int) {
        self.limit = limit
        gauge.set(0)
    }

    /// How many are taken.
    var taken: Int { count.load(ordering: .relaxed) }

    /// Takes a place; false if there is none.
    func enter() -> Bool {
        guard count.add(1, ordering: .relaxed).newValue <= limit else {
            count.subtract(1, ordering: .relaxed)
            return false
        }
        gauge.increment()
        return true
    }

    /// Gives a place back.
    func leave() {
        count.subtract(1, ordering: .relaxed)
        gauge.decrement()
    }
}
