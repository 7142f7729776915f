import Synchronization

/// A gate that tasks wait at until it is opened.
package final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var waiting: [CheckedContinuation<Void, Never>] = []
        var arrivals = 0
    }

    private let state = Mutex(State())

    /// Whether it has been opened.
    package var isOpen: Bool { state.withLock { $0.isOpen } }

    /// How many have come to the gate so far.
    package var arrivals: Int { state.withLock { $0.arrivals } }

    /// Makes a closed gate.
    package init() {}

    /// Waits until the gate is open, whether the task is cancelled or not.
    package func pass() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                state.arrivals += 1
                if !state.isOpen { state.waiting.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }

    /// Opens the gate for all who wait and all who come.
    package func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            return exchange(&state.waiting, with: [])
        }
        for continuation in waiting { continuation.resume() }
    }
}
