import Synchronization

/// The exchanges in flight, from the access handler's first call to the completed callback.
final class Exchanges: Sendable {
    private struct State {
        var count = 0
        var lastActivity = ContinuousClock.now
        var suspended: [ObjectIdentifier: Exchange] = [:]
        var isClosed = false
    }

    private let state = Mutex(State())

    /// How many there are, and when the last one began or ended.
    var activity: (count: Int, last: ContinuousClock.Instant) {
        state.withLock { ($0.count, $0.lastActivity) }
    }

    /// Counts an exchange in.
    func begin(at now: ContinuousClock.Instant) {
        state.withLock {
            $0.count += 1
            $0.lastActivity = now
        }
    }

    /// Counts an exchange out.
    func end(at now: ContinuousClock.Instant) {
        state.withLock {
            $0.count -= 1
            $0.lastActivity = now
        }
    }

    /// Adds an exchange to those that wait; false once ``close()`` has begun.
    func add(_ exchange: Exchange) -> Bool {
        state.withLock {
            if $0.isClosed { return false }
            $0.suspended[ObjectIdentifier(exchange)] = exchange
            return true
        }
    }

    /// Removes an exchange from those that wait.
    func remove(_ exchange: Exchange) {
        state.withLock { _ = $0.suspended.removeValue(forKey: ObjectIdentifier(exchange)) }
    }

    /// Abandons every exchange that waits and admits no other, so that MHD_stop_daemon may be called.
    func close() {
        let suspended = state.withLock { state in
            state.isClosed = true
            return exchange(&state.suspended, with: [:])
        }
        // One that was added but is not yet suspended holds its own lock meanwhile.
        for exchange in suspended.values { exchange.abandon() }
    }
}
