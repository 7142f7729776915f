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

    /// The place of this request in the client's trace, or in one begun here.
    public let traceContext: TraceContext

    /// When the header section had been read.
    public let received: ContinuousClock.Instant

    /// The parameters of the query; nil where the query cannot be decoded.
    let decodedQuery: Query?

    /// The parameters of the query.
    public var query: Query { decodedQuery ?? Query() }

    /// A request that could not be read.
    static var unknown: Self {
        Self(
            method: .unknown, path: "", query: [], headerFields: [:], traceContext: nil,
            received: .now)
    }

    init(
        method: HTTPRequest.Method, path: String, query: [UInt8], headerFields: HTTPFields,
        traceContext: TraceContext?, received: ContinuousClock.Instant
    ) {
        self.method = method
        self.path = path
        self.headerFields = headerFields
        self.received = received
        id = RequestID.valid(headerFields[.xRequestID]) ?? RequestID.make()
        self.traceContext = traceContext ?? TraceContext(headerFields)?.child() ?? .begin()
        decodedQuery = Query(decoding: query)
    }
}

extension HTTPRequest.Method {
    /// Stands for a method that is no token (RFC 9110 §9.1), and that therefore no route has.
    static let unknown = Self("UNKNOWN")!  // "UNKNOWN" is a token.
}
