import CMicroHTTPD
import Metrics
import Synchronization

/// The exchanges in flight, from the access handler's first call to the completed callback.
final class Exchanges: Sendable {
    private struct Suspended {
        var tasks: [ObjectIdentifier: HandlerTask] = [:]
        var isClosed = false
    }

    private let inFlight = Atomic(0)
    private let lastActivity = Atomic(cmhd_milliseconds())
    private let suspended = Mutex(Suspended())
    private let meter = Meter(label: "http_requests_in_flight")

    init() {
        meter.set(0)
    }

    /// How many there are.
    var count: Int { inFlight.load(ordering: .acquiring) }

    /// How long ago the last one began or ended.
    var silence: Duration { .since(lastActivity.load(ordering: .relaxed)) }

    /// Counts an exchange in.
    func begin() {
        inFlight.add(1, ordering: .relaxed)
        meter.increment()
        lastActivity.store(cmhd_milliseconds(), ordering: .relaxed)
    }

    /// Counts an exchange out.
    func end() {
        lastActivity.store(cmhd_milliseconds(), ordering: .relaxed)
        meter.decrement()
        inFlight.subtract(1, ordering: .releasing)
    }

    /// Adds a task to those that wait; false once ``close()`` has begun.
    func add(_ task: HandlerTask) -> Bool {
        suspended.withLock {
            if $0.isClosed { return false }
            $0.tasks[ObjectIdentifier(task)] = task
            return true
        }
    }

    /// Removes a task from those that wait.
    func remove(_ task: HandlerTask) {
        suspended.withLock { _ = $0.tasks.removeValue(forKey: ObjectIdentifier(task)) }
    }

    /// Abandons every task that waits and admits no other, so that MHD_stop_daemon may be called.
    func close() {
        let waiting = suspended.withLock { suspended in
            suspended.isClosed = true
            return exchange(&suspended.tasks, with: [:])
        }
        // One that was added but is not yet suspended holds its own lock meanwhile.
        for task in waiting.values { task.abandon() }
    }
}
