import HTTPTypes
import Logging
import Synchronization
import Tracing

/// One request's life: begun, answered, ended.
///
/// libmicrohttpd's thread calls ``begin(on:)``, ``discard(_:on:)``, ``proceed(on:)``, ``end(_:status:)``;
/// the handler's task calls ``finish(with:)`` on any thread; the server ``abandon()`` at shutdown.
final class Exchange: Sendable {
    /// What the exchange is doing.
    ///
    /// Noncopyable, so that the compiler checks that a suspended connection is resumed exactly once:
    /// `switch consume state` takes the value out, and each case must put one back.
    private enum State: ~Copyable {
        case reading
        case running
        case suspended(SuspendedConnection, Task<Void, Never>)
        case finished(Response)
        case answered(Response)
        case rejected(Response)
        case abandoned
    }

    private let request: Request
    private let route: Route?
    private let rejection: HTTPError?

    // libmicrohttpd 0.9 does not report what it has taken for the end of chunked content: a
    // malformed trailer section, a line without CR. So nothing behind it is taken for a request;
    // nor behind CONNECT, where it is meant for somebody else.
    private let isLast: Bool

    private let span: ServerSpan?
    private let server: Server

    // Held while libmicrohttpd suspends and resumes, which is brief and calls none of our callbacks.
    // So nobody resumes before the suspension. And nobody stops the daemon while
    // MHD_resume_connection still uses it: abandon() and end() wait for the lock, and one
    // of them stands between each exchange and the stop.
    private let state = Mutex(State.reading)

    // These two are written and read on libmicrohttpd's thread only. The second one spares a handler
    // that does not wait a look at the state, which is behind the lock.
    private let contentSize = Atomic(0)
    private let hasProceeded = Atomic(false)

    /// Makes the exchange of a request whose head has been read.
    init(_ head: consuming RequestHead, server: Server) {
        self.server = server
        span = server.tracer.map { [head] in ServerSpan($0, head) }
        route = server.router.route(of: head.target.path)
        rejection = Framing.rejection(of: head)
        isLast = head.isChunked || head.method == .connect
        request = Request(head, traceContext: span?.traceContext)
    }

    /// Goes on to the content, unless the request is rejected: then nothing that follows its header
    /// section is read.
    ///
    /// The first call of the access handler.
    ///
    /// - Returns: false if the connection is to be closed.
    func begin(on connection: borrowing Connection) -> Bool {
        server.exchanges.begin()
        if let rejection { return reject(rejection, on: connection) }
        connection.enter(.content)
        return true
    }

    /// Counts content that is not kept.
    ///
    /// The calls of the access handler between the first and the last.
    ///
    /// - Returns: false if the connection is to be closed.
    func discard(_ size: Int, on connection: borrowing Connection) -> Bool {
        contentSize.add(size, ordering: .relaxed).newValue <= Limits.discardedContent
            || reject(Framing.contentTooLarge, on: connection)
    }

    /// Answers before libmicrohttpd has read the whole request.
    ///
    /// - Returns: false, for the connection must be closed.
    private func reject(_ error: HTTPError, on connection: borrowing Connection) -> Bool {
        let response = server.router.errorResponse(error)
        connection.sendPast(response, to: request)
        state.withLock { $0 = .rejected(response) }
        return false
    }

    /// Answers, or waits for the handler.
    ///
    /// The final call of the access handler, and its repeat after a suspension.
    ///
    /// - Returns: false if the connection is to be closed without an answer.
    func proceed(on connection: borrowing Connection) -> Bool {
        if hasProceeded.exchange(true, ordering: .relaxed) {
            return answerIfFinished(on: connection)
        }
        do {
            guard contentSize.load(ordering: .relaxed) <= Limits.content else {
                throw Framing.contentTooLarge
            }
            guard let route else {
                return answer(try server.router.responseWithoutRoute(to: request), on: connection)
            }
            switch try route.handler(for: request) {
            case .waiting(let handler):
                return wait(for: handler, on: connection)
            case .immediate(let handler):
                guard let span else { return answer(try handler(request), on: connection) }
                let response = try ServiceContext.withValue(span.context) { try handler(request) }
                return answer(response, on: connection)
            }
        } catch {
            return answer(response(for: error), on: connection)
        }
    }

    private func answer(_ response: Response, on connection: borrowing Connection) -> Bool {
        let isQueued = queue(response, on: connection)
        state.withLock { $0 = .answered(response) }
        return isQueued
    }

    private func answerIfFinished(on connection: borrowing Connection) -> Bool {
        let response: Response? = state.withLock { state in
            switch consume state {
            case .finished(let response):
                state = .answered(response)
                return response
            case let other:
                // Abandoned. libmicrohttpd makes no call for a suspended connection, and none after
                // the one in which a response was queued.
                state = other
                return nil
            }
        }
        guard let response else { return false }
        return queue(response, on: connection)
    }

    private func queue(_ response: Response, on connection: borrowing Connection) -> Bool {
        connection.queue(
            response, to: request,
            closing: isLast || server.isDraining || response.status == .contentTooLarge)
    }

    private func wait(for handler: @escaping AsyncHandler, on connection: borrowing Connection)
        -> Bool
    {
        state.withLock { $0 = .running }
        // Task.immediate runs in place, up to the handler's first wait. A handler that did not wait
        // has finished when it returns.
        let task = Task.immediate { finish(with: await respond(with: handler)) }
        let isSuspended = state.withLock { state in
            switch consume state {
            case .running where server.exchanges.add(self):
                state = .suspended(connection.suspend(), task)
                return true
            case .running:
                state = .abandoned
                return false
            case let other:
                state = other
                return false
            }
        }
        return isSuspended || answerIfFinished(on: connection)
    }

    private func respond(with handler: AsyncHandler) async -> Response {
        do {
            guard let span else { return try await handler(request) }
            return try await ServiceContext.withValue(span.context) { try await handler(request) }
        } catch {
            return response(for: error)
        }
    }

    private func response(for error: any Error) -> Response {
        if let error = error as? HTTPError { return server.router.errorResponse(error) }
        server.logger.error(
            "A handler threw", metadata: ["error": "\(error)", "request_id": "\(request.id)"])
        return server.router.errorResponse(
            HTTPError(.internalServerError, details: "The request failed; the log says why."))
    }

    /// Takes the handler's response, and sends it unless the exchange was abandoned.
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
    ///
    /// - Parameter status: that of the response that libmicrohttpd has; 0 if there is none.
    func end(_ ending: AccessRecord.Ending, status: Int) {
        let (response, ending): (Response?, AccessRecord.Ending) = state.withLock { state in
            switch state {
            case .answered(let response): (response, ending)
            case .rejected(let response): (response, .answered)
            case .abandoned: (nil, .cutOff)
            // libmicrohttpd's own: a chunk or a trailer section that it cannot read.
            case .reading where status != 0:
                (Response(status: HTTPResponse.Status(code: status)), .answered)
            default: (nil, ending)
            }
        }
        let record = AccessRecord(
            request: request, route: route?.path, response: response,
            duration: .now - request.received, ending: ending)
        span?.end(record)
        server.note(record)
        server.exchanges.end()
    }
}
