import Foundation

/// Runs blocking code on a thread of its own: the concurrent pool has as few threads as cores, and
/// the handlers of a server under test need them.
package func onThread<Value: Sendable>(
    _ body: @escaping @Sendable () throws -> Value
) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result(catching: body)) }
    }
}

/// Waits until `condition` holds, for ten seconds at most.
///
/// - Returns: whether it holds.
package func eventually(
    within limit: Duration = .seconds(10), _ condition: () throws -> Bool
) rethrows -> Bool {
    let deadline = ContinuousClock.now + limit
    while try !condition() {
        if ContinuousClock.now > deadline { return false }
        usleep(2000)
    }
    return true
}
