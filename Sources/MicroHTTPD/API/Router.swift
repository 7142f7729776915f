import HTTPTypes

/// Answers a request without waiting, on libmicrohttpd's thread; it must not block.
public typealias Handler = @Sendable (Request) throws -> Response

/// Answers a request, and may wait.
///
/// It runs on libmicrohttpd's thread and must not block; while it waits, it holds no thread.
/// `Task.yield()` is no wait: it goes on at once. A handler is cancelled if the shutdown timeout
/// cuts it off, and what is left of it runs elsewhere.
public typealias AsyncHandler = @Sendable (Request) async throws -> Response

/// Finds the handler of a request by its path.
///
/// An ``HTTPError`` that a handler throws is answered with its status, any other error with 500.
public struct Router: Sendable {
    // Few: looking at each is faster than hashing a path.
    private var routes: [Route] = []

    /// Makes the response for an error, the server's own or a handler's.
    let errorResponse: @Sendable (HTTPError) -> Response

    /// Makes a router without routes that answers errors with `errorResponse`.
    public init(errorResponse: @escaping @Sendable (HTTPError) -> Response) {
        self.errorResponse = errorResponse
    }

    /// Adds a route: `handler` answers `GET` and `HEAD` for exactly `path`.
    public mutating func get(_ path: String, handler: @escaping Handler) {
        routes.append(Route(path, .immediate(handler)))
    }

    /// Adds a route whose handler may wait.
    public mutating func get(_ path: String, handler: @escaping AsyncHandler) {
        routes.append(Route(path, .waiting(handler)))
    }

    /// The response to a request whose path has no route: 404, 204 to `OPTIONS *`, 405 to `CONNECT`.
    func responseWithoutRoute(to request: Request) throws(HTTPError) -> Response {
        switch request.method {
        case .options where request.path == "*":
            return Response(status: .noContent, headerFields: Route.allow)
        case .connect:
            throw HTTPError(
                .methodNotAllowed, details: "This is not a proxy.", headerFields: Route.allow)
        default:
            throw HTTPError(.notFound, details: "There is no such path here.")
        }
    }

    func route(of path: String) -> Route? {
        // By bytes: comparing strings that are not ASCII would normalize them first.
        routes.first { $0.path.utf8.span.equals(path.utf8.span) }
    }
}

/// A path and its handler.
///
/// A class: the closures of a struct in a collection are wrapped once more.
final class Route: Sendable {
    enum Kind: Sendable {
        case immediate(Handler)
        case waiting(AsyncHandler)
    }

    /// The methods of every route (RFC 9110 §10.2.1).
    fileprivate static let allow: HTTPFields = [.allow: "GET, HEAD"]

    let path: String
    private let kind: Kind

    fileprivate init(_ path: String, _ kind: Kind) {
        self.path = path
        self.kind = kind
    }

    /// The handler for `request`, or the rejection of it: 405 or 400, in this order.
    func handler(for request: Request) throws(HTTPError) -> Kind {
        guard request.method == .get || request.method == .head else {
            throw HTTPError(
                .methodNotAllowed, details: "This path takes GET, HEAD.", headerFields: Self.allow)
        }
        guard request.query.isValid else {
            throw HTTPError(
                .badRequest,
                details: "The query is malformed: two hexadecimal digits must follow each '%', "
                    + "and the decoded bytes must be UTF-8.")
        }
        return kind
    }
}
