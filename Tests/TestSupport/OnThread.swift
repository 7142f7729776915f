import Foundation

/// Runs blocking code on a thread of its own, as a part of the test that calls it.
///
/// The concurrent pool has as few threads as there are cores, and the handlers of a server under
/// test need them.
package func onThread<Value: Sendable>(
    _ body: @escaping @Sendable () throws -> Value
) async throws -> Value {
    // A task, and not only a thread: it is by task-local values that an issue finds its test.
    try await Task(executorPreference: OwnThread()) { try body() }.value
}

/// An executor with a new thread for each job.
private final class OwnThread: TaskExecutor {
    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        Thread.detachNewThread { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
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
