import HTTPTypes
import Logging
import Metrics
import Tracing

/// One request's life: begun, answered, ended.
///
/// All of it on libmicrohttpd's thread, which also ends what is left when it is stopped.
final class Exchange {
    private enum State {
        case reading
        case handling(HandlerTask)
        case answered(Response)
        case rejected(Response)
    }

    private let request: Request
    private let route: Route?
    private let span: ServerSpan?
    private let server: Server
    private var state = State.reading
    private var contentSize = 0

    init(_ head: consuming RequestHead, server: Server) {
        self.server = server
        span = server.tracer.map { [head] in ServerSpan($0, head) }
        route = server.router.route(of: head.target.path)
        request = Request(head, traceContext: span?.traceContext)
    }

    /// Goes on to the content, unless the request is rejected: then nothing that follows its header
    /// section is read.
    ///
    /// - Returns: false if the connection is to be closed.
    func begin(on connection: borrowing Connection) -> Bool {
        server.requestsInFlight.increment()
        do { try Framing.check(request.head) } catch { return reject(error, on: connection) }
        connection.record.enter(.content(request))
        return true
    }

    /// Counts content that is not kept.
    ///
    /// - Returns: false if the connection is to be closed.
    func discard(_ size: Int, on connection: borrowing Connection) -> Bool {
        contentSize += size
        return contentSize <= Limits.discardedContent
            || reject(Framing.contentTooLarge, on: connection)
    }

    /// Answers before libmicrohttpd has read the whole request.
    ///
    /// - Returns: false, for the connection must be closed.
    private func reject(_ error: HTTPError, on connection: borrowing Connection) -> Bool {
        let response = server.router.errorResponse(error)
        if connection.sendPast(response, to: request) { state = .rejected(response) }
        return false
    }

    /// Answers, or waits for the handler.
    ///
    /// - Returns: false if the connection is to be closed without an answer.
    func proceed(on connection: borrowing Connection) -> Bool {
        do {
            if case .reading = state {
                guard contentSize <= Limits.content else { throw Framing.contentTooLarge }
                guard let route else {
                    return answer(
                        try server.router.responseWithoutRoute(to: request), on: connection)
                }
                switch try route.handler(for: request) {
                case .immediate(let handler):
                    guard let span else { return answer(try handler(request), on: connection) }
                    let response = try ServiceContext.withValue(span.context) {
                        try handler(request)
                    }
                    return answer(response, on: connection)
                case .waiting(let handler):
                    let task = HandlerTask { [request, span] in
                        guard let span else { return try await handler(request) }
                        return try await ServiceContext.withValue(span.context) {
                            try await handler(request)
                        }
                    }
                    state = .handling(task)
                }
            }
            guard case .handling(let task) = state else { return false }
            switch task.run(on: connection) {
            case .suspended: return true
            case .finished(let result): return answer(try result.get(), on: connection)
            case .abandoned: return false
            }
        } catch {
            return answer(response(for: error), on: connection)
        }
    }

    private func answer(_ response: Response, on connection: borrowing Connection) -> Bool {
        state = .answered(response)
        // libmicrohttpd 0.9 does not report what it has taken for the end of chunked content: a
        // malformed trailer section, a line without CR. So nothing behind it is taken for a request;
        // nor behind CONNECT, where it is meant for somebody else.
        let isLast = request.head.isChunked || request.method == .connect
        let keepsAlive = connection.record.keepsAlive(after: request.head.size + contentSize)
        return connection.queue(
            response, to: request,
            closing: isLast || response.status == .contentTooLarge || !keepsAlive)
    }

    private func response(for error: any Error) -> Response {
        if let error = error as? HTTPError { return server.router.errorResponse(error) }
        server.logger.error(
            "A handler threw", metadata: ["error": "\(error)", "request_id": "\(request.id)"])
        return server.router.errorResponse(
            HTTPError(.internalServerError, details: "The request failed; the log says why."))
    }

    /// Notes that libmicrohttpd is done with the request, its response sent or not.
    ///
    /// - Parameter status: that of the response that libmicrohttpd has; 0 if there is none.
    func end(_ ending: AccessRecord.Ending, status: Int) {
        let (response, ending): (Response?, AccessRecord.Ending) =
            switch state {
            case .answered(let response): (response, ending)
            case .rejected(let response): (response, .answered)
            case .handling(let task): (nil, task.abandon() ? .cutOff : ending)
            // libmicrohttpd's own: a chunk or a trailer section that it cannot read.
            case .reading where status != 0:
                (Response(status: HTTPResponse.Status(code: status)), .answered)
            default: (nil, ending)
            }
        let record = AccessRecord(
            request: request, route: route?.path, response: response,
            duration: .now - request.received, ending: ending)
        span?.end(record)
        server.accessLog.note(record)
        server.requestsInFlight.decrement()
    }
}
