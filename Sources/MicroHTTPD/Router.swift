public import HTTPTypes

/// Answers a request; what it throws is answered with the status of an ``HTTPError``, or with 500.
///
/// It begins on libmicrohttpd's thread and must not block. While it waits it holds no thread, and
/// goes on on the concurrent pool. It is cancelled where the shutdown timeout cuts it off.
public typealias Handler = @Sendable (Request) async throws -> Response

/// Finds the handler of a request by path and method.
public struct Router: Sendable {
    private var routes: [String: Route] = [:]

    /// Gives a refusal its form, the same for the router's own and for the handlers'.
    let refusal: @Sendable (HTTPError) -> Response

    /// Makes a router without routes that answers errors with `refusal`.
    public init(refusal: @escaping @Sendable (HTTPError) -> Response) {
        self.refusal = refusal
    }

    /// Adds a route: `handler` answers requests of `method` for exactly `path`.
    public mutating func on(
        _ method: HTTPRequest.Method, _ path: String, handler: @escaping Handler
    ) {
        routes[path, default: Route(path: path)].handlers[method] = handler
    }

    /// Adds a route for `GET`, and with it for `HEAD`.
    public mutating func get(_ path: String, handler: @escaping Handler) {
        on(.get, path, handler: handler)
    }

    /// What any of the paths takes, for `Allow`.
    var allow: String { Route.allow(routes.values.flatMap(\.handlers.keys)) }

    /// The route of `path`; nil where there is none.
    func route(of path: String) -> Route? {
        // A path is ASCII (RFC 3986 §3.3); to look up another one would normalize it first.
        path.utf8.allSatisfy { $0 < 0x80 } ? routes[path] : nil
    }
}

/// A path and the handlers of the methods that it takes.
struct Route: Sendable {
    let path: String
    fileprivate(set) var handlers: [HTTPRequest.Method: Handler] = [:]

    /// The handler for `request`, or the refusal of it: 405 or 400, in this order.
    func handler(for request: Request) throws(HTTPError) -> Handler {
        guard let handler = handlers[request.method == .head ? .get : request.method] else {
            let allow = Self.allow(Array(handlers.keys))
            throw HTTPError(
                .methodNotAllowed, details: "This path takes \(allow).",
                headerFields: [.allow: allow])
        }
        guard request.query.isValid else {
            throw HTTPError(
                .badRequest,
                details: "The query is not valid: a '%' wants two hexadecimal digits after it, "
                    + "and the bytes that result must be UTF-8.")
        }
        return handler
    }

    /// These methods, and `HEAD` with `GET`, as the value of `Allow` (RFC 9110 §10.2.1).
    fileprivate static func allow(_ methods: [HTTPRequest.Method]) -> String {
        let all = Set(methods).union(methods.contains(.get) ? [.head] : [])
        return all.map(\.rawValue).sorted().joined(separator: ", ")
    }
}
