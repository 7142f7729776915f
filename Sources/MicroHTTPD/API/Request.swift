public import HTTPTypes

/// A request as a handler sees it: an independent value, safe to keep after the response.
public struct Request: Sendable {
    /// The request method; a `HEAD` request reaches the handler of `GET`.
    public let method: HTTPRequest.Method

    /// The path of the request target as it was sent, escapes included (RFC 9112 §3.2).
    public let path: String

    /// The parameters of the query.
    public let query: Query

    /// The fields of the header section (RFC 9110 §5), made anew each time.
    public var headerFields: HTTPFields { headerSection.fields }

    /// The name of this request in logs: the client's `X-Request-Id`, or else one made here.
    public let id: String

    /// The place of this request in the client's trace, or in one begun here.
    public let traceContext: TraceContext

    /// When the header section had been read.
    public let received: ContinuousClock.Instant

    private let headerSection: HeaderSection

    /// A request that could not be read.
    static var unknown: Self {
        Self(
            RequestHead(
                method: nil, target: RequestTarget("", query: nil),
                headerSection: HeaderSection(), isVersion1_0: false, isReadAsSent: false),
            traceContext: nil)
    }

    init(_ head: RequestHead, traceContext: TraceContext?) {
        method = head.method ?? .unknown
        path = head.target.path
        query = Query(head.target.query)
        headerSection = head.headerSection
        received = .now
        id = RequestID.valid(headerSection.values("x-request-id")) ?? RequestID.make()
        self.traceContext = traceContext ?? TraceContext(headerSection)?.child() ?? .begin()
    }
}

extension HTTPRequest.Method {
    /// Stands for a method that is no token (RFC 9110 §9.1), and that therefore no route has.
    static let unknown = Self("UNKNOWN")!  // "UNKNOWN" is a token.
}
