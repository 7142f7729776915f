import Synchronization

/// How often each thing has happened, counted on any thread.
package final class Tally: Sendable {
    private let state = Mutex<[String: Int]>([:])

    /// All that has happened.
    package var counts: [String: Int] { state.withLock { $0 } }

    /// How often anything has happened.
    package var sum: Int { state.withLock { $0.values.reduce(0, +) } }

    /// Makes a tally of nothing.
    package init() {}

    /// How often this has happened.
    package subscript(_ name: String) -> Int { state.withLock { $0[name] ?? 0 } }

    /// Counts this.
    ///
    /// - Returns: how often it has happened now.
    @discardableResult
    package func add(_ name: String, _ count: Int = 1) -> Int {
        state.withLock { counts in
            counts[name, default: 0] += count
            return counts[name, default: 0]
        }
    }
}
