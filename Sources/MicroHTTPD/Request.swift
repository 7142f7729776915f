public import HTTPTypes

/// A request as a handler sees it: a value of its own, valid for as long as one likes.
public struct Request: Sendable {
    /// The request method; a `HEAD` request reaches the handler of `GET`.
    public let method: HTTPRequest.Method

    /// The path of the request target as it was sent, escapes included (RFC 9112 §3.2).
    public let path: String

    /// The header section; fields whose name is no token are left out (RFC 9110 §5.1).
    public let headerFields: HTTPFields

    /// The name of this request in logs: the client's `X-Request-Id`, or else one made here.
    public let id: String

    /// When the header section had been read.
    public let received: ContinuousClock.Instant

    /// The parameters of the query; nil where the query cannot be decoded.
    let decodedQuery: Query?

    /// The parameters of the query.
    public var query: Query { decodedQuery ?? Query() }

    init(
        method: HTTPRequest.Method, path: String, query: [UInt8], headerFields: HTTPFields,
        received: ContinuousClock.Instant
    ) {
        self.method = method
        self.path = path
        self.headerFields = headerFields
        self.received = received
        id = RequestID.valid(headerFields[.xRequestID]) ?? RequestID.make()
        decodedQuery = Query(decoding: query)
    }
}
