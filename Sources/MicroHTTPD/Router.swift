public import HTTPTypes

/// Answers a request; what it throws is answered with the status of an ``HTTPError``, or with 500.
///
/// It begins on libmicrohttpd's thread and must not block. While it waits it holds no thread, and
/// goes on on the concurrent pool. It is cancelled where the shutdown timeout cuts it off.
public typealias Handler = @Sendable (Request) async throws -> Response

/// Finds the handler of a request by path and method.
public struct Router: Sendable {
    private var routes: [String: [HTTPRequest.Method: Handler]] = [:]

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
        routes[path, default: [:]][method] = handler
    }

    /// Adds a route for `GET`, and with it for `HEAD`.
    public mutating func get(_ path: String, handler: @escaping Handler) {
        on(.get, path, handler: handler)
    }

    /// The path of the route that `request` is for, whatever its method; nil where there is none.
    func route(of request: Request) -> String? {
        routes[request.path] == nil ? nil : request.path
    }

    /// The handler for `request`, or the refusal of it: 404, 405 or 400, in this order.
    func handler(for request: Request) throws(HTTPError) -> Handler {
        guard let methods = routes[request.path] else {
            throw HTTPError(.notFound, details: "There is no such path here.")
        }
        guard let handler = methods[request.method == .head ? .get : request.method] else {
            var allowed = methods.keys.map(\.rawValue)
            if methods[.get] != nil { allowed.append(HTTPRequest.Method.head.rawValue) }
            let allow = Set(allowed).sorted().joined(separator: ", ")
            throw HTTPError(
                .methodNotAllowed, details: "This path takes \(allow).",
                headerFields: [.allow: allow])
        }
        guard request.decodedQuery != nil else {
            throw HTTPError(
                .badRequest,
                details: "The query is not valid: a '%' wants two hexadecimal digits after it, "
                    + "and the bytes that result must be UTF-8.")
        }
        return handler
    }
}
