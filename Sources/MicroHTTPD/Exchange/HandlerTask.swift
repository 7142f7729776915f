import Synchronization

/// The task of a handler that may wait.
///
/// While it waits, its connection is suspended and it holds no thread. It is an executor of its own,
/// whose jobs are the parts of the handler between two waits. libmicrohttpd's thread runs them in
/// ``run(on:)``; what ends a wait calls ``enqueue(_:)``, on any thread; the server calls
/// ``abandon()`` at shutdown.
final class HandlerTask: TaskExecutor {
    /// What the task is doing.
    ///
    /// Noncopyable, so that a suspended connection is resumed exactly once: when its value ends.
    /// `switch consume state` takes the state out, and the compiler checks that each case puts one
    /// back.
    private enum State: ~Copyable {
        case running([UnownedJob])
        case suspended(SuspendedConnection)
        case finished(Result<Response, any Error>)
        case abandoned
    }

    /// What ``run(on:)`` has come to.
    enum Progress {
        case suspended
        case finished(Result<Response, any Error>)
        case abandoned
    }

    // Held while libmicrohttpd suspends and resumes, which is brief and calls none of our
    // callbacks. So nobody resumes before the suspension. And nobody stops the daemon while
    // MHD_resume_connection still uses it: before the stop, abandon() waits for the lock of each
    // task that has been suspended.
    private let state = Mutex(State.running([]))

    private let task = Mutex<Task<Void, Never>?>(nil)

    /// Makes a task, and runs `handler` up to its first wait.
    init(_ handler: @escaping @Sendable () async throws -> Response) {
        // Task.immediate runs in place; what follows a wait is this executor's.
        let task = Task.immediate(executorPreference: self) {
            let result: Result<Response, any Error>
            do { result = .success(try await handler()) } catch { result = .failure(error) }
            state.withLock { state in
                switch consume state {
                case .running: state = .finished(result)
                case let other: state = other  // Abandoned.
                }
            }
        }
        self.task.withLock { $0 = task }
    }

    /// Runs the jobs there are, until the handler has finished, or waits and its connection is
    /// suspended.
    func run(on connection: borrowing Connection) -> Progress {
        while true {
            var job: UnownedJob?
            let progress: Progress? = state.withLock { state in
                switch consume state {
                case .running(var jobs) where !jobs.isEmpty:
                    job = jobs.removeFirst()
                    state = .running(jobs)
                    return nil
                case .running:
                    guard let connection = connection.suspend(for: self) else {
                        state = .abandoned
                        return .abandoned
                    }
                    state = .suspended(connection)
                    return .suspended
                case .finished(let result):
                    state = .finished(result)
                    return .finished(result)
                case _:  // Abandoned.
                    state = .abandoned
                    return .abandoned
                }
            }
            if let progress { return progress }
            if let job { unsafe job.runSynchronously(on: asUnownedTaskExecutor()) }
        }
    }

    /// Takes the job that ends the handler's wait.
    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let isTaken = state.withLock { state in
            switch consume state {
            case .running(let jobs):
                state = .running(jobs + [job])
                return true
            case .suspended:
                state = .running([job])
                return true
            case let other:
                state = other
                return false
            }
        }
        if !isTaken { globalConcurrentExecutor.enqueue(job) }
    }

    /// Cuts the task off: what is left of the handler is cancelled, and runs elsewhere.
    ///
    /// - Returns: whether it had been cut off before.
    @discardableResult
    func abandon() -> Bool {
        let (jobs, wasAbandoned): ([UnownedJob], Bool) = state.withLock { state in
            let old = consume state
            state = .abandoned
            return switch consume old {
            case .running(let jobs): (jobs, false)
            case .abandoned: ([], true)
            case _: ([], false)
            }
        }
        // Outside the lock, since it may end a wait in place.
        task.withLock { $0.take() }?.cancel()
        for job in jobs { globalConcurrentExecutor.enqueue(job) }
        return wasAbandoned
    }
}
