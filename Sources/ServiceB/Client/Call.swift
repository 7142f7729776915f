import Dispatch
import Foundation
import FoundationNetworking
import Synchronization

/// One call, of one attempt or two: the first valid answer decides its outcome, or else the end of
/// its last attempt.
final class Call: NSObject, URLSessionTaskDelegate, Sendable {
    struct Outcome {
        /// Why there is no answer; nil if there is one.
        let failure: CallFailure?
        let attempts: Int
    }

    private struct State {
        var continuation: CheckedContinuation<Outcome, Never>?
        var attempts = 1
        var unfinished = 1
        var tasks: [URLSessionTask] = []
    }

    private let client: EchoClient
    private let request: URLRequest
    private let message: String
    private let state: Mutex<State>

    init(
        _ request: URLRequest, of message: String, by client: EchoClient,
        _ continuation: CheckedContinuation<Outcome, Never>
    ) {
        self.client = client
        self.request = request
        self.message = message
        state = Mutex(State(continuation: continuation))
    }

    var hasEnded: Bool { state.withLock { $0.continuation == nil } }

    /// Starts a second attempt, unless the call has ended or a limit is reached.
    func hedge() {
        guard let hedging = client.hedging else { return }
        let isAdmitted = state.withLock { state in
            guard state.continuation != nil, client.limit.acquire() else { return false }
            guard hedging.limit.acquire() else {
                client.limit.release()
                return false
            }
            state.attempts += 1
            state.unfinished += 1
            return true
        }
        if isAdmitted { client.queue.async { [self] in start(attempt: 2) } }
    }

    /// Starts an attempt, 1 or 2, which the limit of calls has admitted; on the client's queue.
    func start(attempt: Int) {
        guard !hasEnded else { return }
        let task = client.session.dataTask(with: request) { [self] data, response, error in
            let failure = CallFailure.ofCall(
                echoing: message, data, response, error, timeout: client.timeout)
            end(failure, attempt: attempt)
        }
        task.delegate = self
        state.withLock { $0.tasks.append(task) }
        task.resume()
    }

    /// Gives the call its outcome, if it has none yet, and cancels its tasks.
    ///
    /// - Parameter attempt: 1 or 2, if its task is done; while the other one is not, only an answer
    ///   ends the call.
    func end(_ failure: CallFailure?, attempt: Int? = nil) {
        let ended: State? = state.withLock { state in
            guard state.continuation != nil else { return nil }
            if attempt != nil {
                state.unfinished -= 1
                client.limit.release()
            }
            guard attempt == nil || failure == nil || state.unfinished == 0 else { return nil }
            let ended = state
            state.continuation = nil
            // Or else task and call would keep each other.
            if state.unfinished == 0 { state.tasks = [] }
            return ended
        }
        guard let ended else { return }
        if ended.unfinished > 0 {
            // Before others get their places, on the queue on which those will start.
            client.queue.async { [self] in
                let tasks = state.withLock { state in
                    defer { state.tasks = [] }
                    return state.tasks
                }
                for task in tasks { task.cancel() }
            }
            for _ in 0..<ended.unfinished { client.limit.release() }
        }
        if failure == nil, attempt == 2 { client.hedging?.limit.hedgeWon() }
        ended.continuation?.resume(
            returning: Outcome(failure: failure, attempts: ended.attempts))
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask,
        willPerformHTTPRedirection response: HTTPURLResponse, newRequest request: URLRequest,
        completionHandler: @escaping @Sendable (URLRequest?) -> Void
    ) {
        // Never followed. Calling the handler while the task is being cancelled is fatal.
        end(.badStatus(response.statusCode))
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask,
        didReceive challenge: URLAuthenticationChallenge,
        completionHandler:
            @escaping @Sendable (URLSession.AuthChallengeDisposition, URLCredential?) -> Void
    ) {
        // Left alone, such a task would never complete (swift-corelibs-foundation #5457).
        end(.badStatus(401))
    }
}
