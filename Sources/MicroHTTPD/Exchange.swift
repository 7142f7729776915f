import HTTPTypes
import Logging
import Synchronization
import Tracing

/// One request's life: received, answered, ended.
///
/// libmicrohttpd's thread calls ``begin(on:)``, ``discard(_:on:)``, ``proceed(on:)`` and
/// ``end(_:status:)``; the handler's task calls
/// ``finish(with:)`` wherever it happens to run; the server calls ``abandon()`` at shutdown.
final class Exchange: Sendable {
    private enum State: ~Copyable {
        case received
        case running
        case suspended(SuspendedConnection, Task<Void, Never>)
        case finished(Response)
        case queued(Response)
        case sentPast(Response)
        case abandoned
    }

    private let request: Request
    private let route: Route?
    private let refusal: HTTPError?

    // libmicrohttpd 0.9 does not tell what it has taken for the end of content in chunks: a trailer
    // section that it cannot read, a line without CR. Nothing behind is taken for a request.
    private let isLast: Bool

    private let span: ServerSpan?
    private let server: Server

    // Held while libmicrohttpd suspends, resumes and queues, which is brief and calls none of our
    // callbacks. So nobody resumes before the suspension. And nobody stops the daemon while
    // MHD_resume_connection still uses it: abandon() and end() wait for the lock, and one
    // of them stands between each exchange and the stop.
    private let state = Mutex(State.received)

    // Written and read on libmicrohttpd's thread only.
    private let contentSize = Atomic(0)

    /// Takes a request as it has been read.
    init(
        isReadAsSent: Bool, method: HTTPRequest.Method?, target: RequestTarget,
        headerSection: HeaderSection, isVersion1_0: Bool, server: Server
    ) {
        self.server = server
        span = server.tracer.map { tracer in
            ServerSpan(tracer, method: method ?? .unknown, headerFields: headerSection.fields)
        }
        request = Request(
            method: method ?? .unknown, target: target, headerSection: headerSection,
            traceContext: span?.traceContext)
        route = server.router.route(of: request.path)
        isLast = !headerSection.values("transfer-encoding").isEmpty
        do throws(HTTPError) {
            try Framing.check(
                isReadAsSent: isReadAsSent, method: method, target: target,
                headerSection: headerSection,
                isVersion1_0: isVersion1_0)
            if method == .connect {
                throw HTTPError(
                    .methodNotAllowed, details: "This is not a proxy.",
                    headerFields: [.allow: server.router.allow])
            }
            refusal = nil
        } catch {
            refusal = error
        }
        server.exchanges.begin(at: request.received)
        server.metrics.requestBegan()
    }

    /// Goes on to the content, unless the request is refused: then nothing that comes after its
    /// header section is read.
    ///
    /// The first call of the access handler.
    ///
    /// - Returns: false if the connection is to be closed.
    func begin(on connection: borrowing Connection) -> Bool {
        guard let refusal else {
            connection.record?.enter(.content)
            return true
        }
        refuse(refusal, on: connection)
        return false
    }

    private func refuse(_ refusal: HTTPError, on connection: borrowing Connection) {
        let response = server.router.refusal(refusal)
        connection.sendPast(response, to: request)
        state.withLock { $0 = .sentPast(response) }
    }

    /// Counts content that is not kept.
    ///
    /// The calls of the access handler between the first and the last.
    ///
    /// - Returns: false if the connection is to be closed.
    func discard(_ size: Int, on connection: borrowing Connection) -> Bool {
        if contentSize.add(size, ordering: .relaxed).newValue <= Framing.discardLimit {
            return true
        }
        refuse(Framing.contentTooLarge, on: connection)
        return false
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
                    response, to: request,
                    closing: isLast || server.isDraining || response.status == .contentTooLarge)
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
    ///
    /// - Parameter status: that of the response that libmicrohttpd has; 0 if there is none.
    func end(_ ending: AccessRecord.Ending, status: Int) {
        let (response, ending): (Response?, AccessRecord.Ending) = state.withLock { state in
            switch state {
            case .queued(let response): (response, ending)
            case .sentPast(let response): (response, .answered)
            case .abandoned: (nil, .cutOff)
            // libmicrohttpd's own: a chunk or a trailer section that it cannot read.
            case .received where status != 0:
                (Response(status: HTTPResponse.Status(code: status)), .answered)
            default: (nil, ending)
            }
        }
        let now = ContinuousClock.now
        let record = AccessRecord(
            request: request, route: route?.path, response: response,
            duration: now - request.received, ending: ending)
        span?.end(record)
        server.note(record)
        server.exchanges.end(at: now)
    }

    private func respond() async -> Response {
        do {
            guard contentSize.load(ordering: .relaxed) <= Framing.contentLimit else {
                throw Framing.contentTooLarge
            }
            if request.method == .options, request.path == "*" {
                return Response(
                    status: .noContent, headerFields: [.allow: server.router.allow])
            }
            guard let route else {
                throw HTTPError(.notFound, details: "There is no such path here.")
            }
            let handler = try route.handler(for: request)
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
