import HTTPTypes
import Logging
import Synchronization
import Tracing

/// One request's life: received, answered, ended.
///
/// libmicrohttpd's thread calls ``proceed(on:)`` and ``end(_:)``; the handler's task calls
/// ``finish(with:)`` wherever it happens to run; the server calls ``abandon()`` at shutdown.
final class Exchange: Sendable {
    private enum State: ~Copyable {
        case received
        case running
        case suspended(SuspendedConnection, Task<Void, Never>)
        case finished(Response)
        case queued(Response)
        case abandoned
    }

    private let request: Request
    private let span: ServerSpan?
    private let server: Server

    // Held while libmicrohttpd suspends, resumes and queues, which is brief and calls none of our
    // callbacks. So nobody resumes before the suspension. And nobody stops the daemon while
    // MHD_resume_connection still uses it: abandon() and end(_:) wait for the lock, and one
    // of them stands between each exchange and the stop.
    private let state = Mutex(State.received)

    init(_ request: Request, span: ServerSpan?, server: Server) {
        self.request = request
        self.span = span
        self.server = server
        server.exchanges.begin(at: request.received)
        server.metrics.requestBegan()
    }

    /// Answers, or waits for the handler.
    ///
    /// The final call of the access handler, and its repeat after a suspension.
    ///
    /// - Returns: false if the connection is to be closed without an answer.
    func proceed(on connection: borrowing Connection) -> Bool {
        let isNew = state.withLock { state in
            switch consume state {
            case .received:
                state = .running
                return true
            case let other:
                state = other
                return false
            }
        }
        // Runs here and now, up to where the handler first waits; most never do.
        let task = isNew ? Task.immediate { finish(with: await respond()) } : nil
        return state.withLock { state in
            switch consume state {
            case .finished(let response):
                let isQueued = connection.queue(
                    response, to: request, closing: server.isDraining)
                state = .queued(response)
                return isQueued
            case .running:
                guard let task, server.exchanges.add(self) else {
                    state = .abandoned
                    return false
                }
                state = .suspended(connection.suspend(), task)
                return true
            case let other:
                // Abandoned. libmicrohttpd makes no call of a suspended connection, and none after
                // the one in which a response was queued.
                state = other
                return false
            }
        }
    }

    /// Takes the handler's response, and has it sent unless the exchange was abandoned.
    ///
    /// On any thread: the handler's task ends where its last wait left it.
    private func finish(with response: Response) {
        state.withLock { state in
            switch consume state {
            case .running:
                state = .finished(response)
            case .suspended(let connection, _):
                state = .finished(response)
                connection.resume()
                // Not before: close() would find nobody to wait for while the call above goes on.
                server.exchanges.remove(self)
            case let other:
                state = other
            }
        }
    }

    /// Cuts the exchange off: its handler is cancelled and its connection closed unanswered.
    func abandon() {
        state.withLock { state in
            switch consume state {
            case .suspended(let connection, let task):
                state = .abandoned
                task.cancel()
                connection.resume()
            case let other:
                state = other
            }
        }
    }

    /// Notes that libmicrohttpd is done with the request, its response sent or not.
    func end(_ ending: AccessRecord.Ending) {
        let (response, isAbandoned): (Response?, Bool) = state.withLock { state in
            switch state {
            case .queued(let response): (response, false)
            case .abandoned: (nil, true)
            default: (nil, false)
            }
        }
        let now = ContinuousClock.now
        let record = AccessRecord(
            request: request, route: server.router.route(of: request), response: response,
            duration: now - request.received, ending: isAbandoned ? .cutOff : ending)
        span?.end(record)
        server.note(record)
        server.exchanges.end(at: now)
    }

    private func respond() async -> Response {
        do {
            let handler = try server.router.handler(for: request)
            guard let span else { return try await handler(request) }
            return try await ServiceContext.withValue(span.context) { try await handler(request) }
        } catch let error as HTTPError {
            return server.router.refusal(error)
        } catch {
            server.logger.error(
                "A handler threw",
                metadata: ["error": "\(error)", "request_id": "\(request.id)"])
            return server.router.refusal(
                HTTPError(.internalServerError, details: "The request failed; the log says why."))
        }
    }
}
