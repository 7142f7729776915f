import Dispatch
import Foundation
import FoundationNetworking
import Synchronization

/// One call: what ends it first decides its outcome.
final class Call: NSObject, URLSessionTaskDelegate, Sendable {
    private struct State {
        var continuation: CheckedContinuation<CallFailure?, Never>?
        var task: URLSessionTask?
    }

    let request: URLRequest
    let message: String
    private let state: Mutex<State>
    private let cancelling: DispatchQueue

    /// Makes a call that resumes `continuation` when it ends, and cancels its task on `cancelling`.
    init(
        _ request: URLRequest, of message: String,
        _ continuation: CheckedContinuation<CallFailure?, Never>, cancelling: DispatchQueue
    ) {
        self.request = request
        self.message = message
        state = Mutex(State(continuation: continuation))
        self.cancelling = cancelling
    }

    /// Whether the outcome is known.
    var hasEnded: Bool { state.withLock { $0.continuation == nil } }

    /// Starts `task` as this call's.
    func launch(_ task: URLSessionTask) {
        task.delegate = self
        task.resume()
        let isLate = state.withLock { state in
            state.task = task
            return state.continuation == nil
        }
        if isLate { cancel(task) }
    }

    /// Ends the call with `failure`, or with none, if nothing else has, when its task is done.
    func end(_ failure: CallFailure?) {
        _ = decide(failure)
    }

    /// Ends the call with `failure` if nothing else has, while its task may go on.
    func abandon(_ failure: CallFailure) {
        if let task = decide(failure) { cancel(task) }
    }

    /// Gives the call its outcome, once.
    ///
    /// - Returns: its task, if there is one and this is the first outcome.
    private func decide(_ failure: CallFailure?) -> URLSessionTask? {
        let ended = state.withLock { exchange(&$0, with: State()) }
        ended.continuation?.resume(returning: failure)
        return ended.task
    }

    private func cancel(_ task: URLSessionTask) {
        // A moment later: where a thousand deadlines pass at once, the answers come first.
        cancelling.asyncAfter(deadline: .now() + .milliseconds(50)) { task.cancel() }
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask,
        willPerformHTTPRedirection response: HTTPURLResponse, newRequest request: URLRequest,
        completionHandler: @escaping @Sendable (URLRequest?) -> Void
    ) {
        // Never followed. To call the handler while the task is being cancelled is fatal.
        abandon(.badStatus(response.statusCode))
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask,
        didReceive challenge: URLAuthenticationChallenge,
        completionHandler:
            @escaping @Sendable (URLSession.AuthChallengeDisposition, URLCredential?) -> Void
    ) {
        // Left alone, such a task would never complete (swift-corelibs-foundation #5457).
        abandon(.badStatus(401))
    }
}
