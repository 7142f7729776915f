import Foundation
package import Testing

/// Runs each test of a suite, and each test in it, on threads of its own.
///
/// The concurrent pool has as few threads as there are cores, and the handlers of a server under
/// test need them: a test that blocks there, `async` or not, keeps them from running.
package struct OwnThreadTrait: SuiteTrait, TestTrait, TestScoping {
    package let isRecursive = true

    package func provideScope(
        for test: Test, testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        try await withTaskExecutorPreference(OwnThread()) { try await function() }
    }
}

extension Trait where Self == OwnThreadTrait {
    /// Runs tests that block on threads of their own.
    package static var ownThread: Self { Self() }
}

/// Runs blocking code on a thread of its own, as a part of the test that calls it.
package func onThread<Value: Sendable>(
    _ body: @escaping @Sendable () throws -> Value
) async throws -> Value {
    // A task, and not only a thread: it is by task-local values that an issue finds its test.
    try await Task(executorPreference: OwnThread()) { try body() }.value
}

/// Whether it is a thread of a test that runs this, and none of the concurrent pool.
package func isOnOwnThread() -> Bool {
    Thread.current.threadDictionary[OwnThread.mark] != nil
}

/// An executor with a new thread for each job.
private final class OwnThread: TaskExecutor {
    // Not the name of a thread: its children inherit that, and Foundation drops it where it is set
    // before `detachNewThread` has returned.
    static let mark = "OwnThread"

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        Thread.detachNewThread {
            Thread.current.threadDictionary[Self.mark] = true
            unsafe job.runSynchronously(on: self.asUnownedTaskExecutor())
        }
    }
}

/// Runs `body` on a thread of its own, beside the test that calls it.
///
/// - Returns: a gate that is open when `body` has returned.
package func inBackground(_ body: @escaping @Sendable () -> Void) -> Gate {
    let isDone = Gate()
    Thread.detachNewThread {
        body()
        isDone.open()
    }
    return isDone
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
