import Dispatch
import Synchronization

/// An action for calls that have not ended after a time, which is the same for all, so that they
/// come due in the order in which they began.
///
/// One timer at a time serves them all. It is strict: others may be late by a tenth of their length.
final class Deadlines: Sendable {
    private struct State {
        var calls: [(call: Call, deadline: ContinuousClock.Instant)] = []
        var isArmed = false
    }

    private let time: Duration
    private let maxCalls: Int
    private let action: @Sendable (Call) -> Void
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "deadlines")

    /// Runs `action`, on a queue of its own, for each call whose time is over.
    init(after time: Duration, maxCalls: Int, action: @escaping @Sendable (Call) -> Void) {
        self.time = time
        self.maxCalls = maxCalls
        self.action = action
    }

    func add(_ call: Call) {
        state.withLock { state in
            // At most `maxCalls` have not ended, so each time half or more of them go.
            if state.calls.count >= 2 * maxCalls { state.calls.removeAll(where: \.call.hasEnded) }
            state.calls.append((call, .now + time))
            arm(&state)
        }
    }

    /// Sets the timer for the first call that has not ended.
    private func arm(_ state: inout State) {
        guard !state.isArmed, let first = state.calls.first else { return }
        state.isArmed = true
        let timer = DispatchSource.makeTimerSource(flags: .strict, queue: queue)
        timer.setEventHandler {
            timer.cancel()
            self.expire()
        }
        let rest = (first.deadline - .now) / .seconds(1)
        timer.schedule(deadline: .now() + max(0, rest), leeway: .nanoseconds(0))
        timer.activate()
    }

    private func expire() {
        let due = state.withLock { state in
            let now = ContinuousClock.now
            let end =
                state.calls.firstIndex { $0.deadline > now && !$0.call.hasEnded }
                ?? state.calls.endIndex
            let due = state.calls[..<end]
            state.calls.removeSubrange(..<end)
            state.isArmed = false
            arm(&state)
            return due
        }
        for (call, _) in due { action(call) }
    }
}
