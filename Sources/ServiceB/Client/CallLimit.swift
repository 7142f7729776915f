import Metrics
import Synchronization

/// The limit of calls in flight.
struct CallLimit: ~Copyable, Sendable {
    let limit: Int
    private let count = Atomic(0)
    private let gauge = Meter(label: "upstream_requests_in_flight")

    /// The calls that have not ended; one that is made a second time counts as two.
    var callsInFlight: Int { count.load(ordering: .relaxed) }

    /// Admits a call, unless the limit is reached.
    func acquire() -> Bool {
        guard count.add(1, ordering: .acquiring).newValue <= limit else {
            count.subtract(1, ordering: .relaxed)
            return false
        }
        gauge.increment()
        return true
    }

    func release() {
        count.subtract(1, ordering: .releasing)
        gauge.decrement()
    }
}

/// The limit of calls that are made a second time: ten in any hundred.
///
/// A call that has no answer after a while is made once more, since GET is safe to repeat
/// (RFC 9110 §9.2.1) and another Service A may answer it. The limit keeps a Service A that is slow
/// as a whole from getting more than 1.1 times the load (Dean, Barroso, "The Tail at Scale", 2013).
final class HedgeLimit: Sendable {
    private struct State {
        var calls = 0
        // The numbers of the last ten calls that were hedged.
        var hedged: [Int] = []
    }

    private let state = Mutex(State())
    private let made = Counter(label: "upstream_hedges_total")
    private let won = Counter(label: "upstream_hedges_won_total")

    func callBegan() {
        state.withLock { $0.calls += 1 }
    }

    /// Admits a second attempt of a call, unless the limit is reached.
    func acquire() -> Bool {
        let isAdmitted = state.withLock { state in
            if state.hedged.count == 10 {
                guard state.hedged[0] <= state.calls - 100 else { return false }
                state.hedged.removeFirst()
            }
            state.hedged.append(state.calls)
            return true
        }
        if isAdmitted { made.increment() }
        return isAdmitted
    }

    func hedgeWon() { won.increment() }
}
