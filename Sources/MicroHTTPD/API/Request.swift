public import HTTPTypes

/// A request as a handler sees it: an independent value, safe to keep after the response.
public struct Request: Sendable {
    /// The request method; a `HEAD` request reaches the handler of `GET`.
    public var method: HTTPRequest.Method { storage.head.method ?? .unknown }

    /// The path of the request target as it was sent, escapes included (RFC 9112 §3.2).
    public var path: String { storage.head.target.path }

    /// The parameters of the query.
    public var query: Query { storage.head.target.query }

    /// The fields of the header section (RFC 9110 §5), made anew each time.
    public var headerFields: HTTPFields { storage.head.headerSection.fields }

    /// The name of this request in logs: the client's `X-Request-Id`, or else one made here.
    public var id: String { storage.id }

    /// The place of this request in the client's trace, or in one begun here.
    public var traceContext: TraceContext { storage.traceContext }

    /// When the header section had been read.
    public var received: ContinuousClock.Instant { storage.received }

    // One object, since a request is copied more often than it is made.
    private let storage: Storage

    private final class Storage: Sendable {
        let head: RequestHead
        let id: String
        let traceContext: TraceContext
        let received = ContinuousClock.now

        init(_ head: consuming RequestHead, _ traceContext: TraceContext?) {
            id = RequestID.valid(head.headerSection) ?? RequestID.make()
            self.traceContext =
                traceContext ?? TraceContext(head.headerSection)?.child() ?? .begin()
            self.head = head
        }
    }

    init(_ head: consuming RequestHead, traceContext: TraceContext?) {
        storage = Storage(head, traceContext)
    }

    /// A request that could not be read.
    static var unknown: Self {
        Self(
            RequestHead(
                method: nil, target: RequestTarget("", query: nil),
                headerSection: HeaderSection(), isVersion1_0: false, isReadAsSent: false),
            traceContext: nil)
    }
}

extension HTTPRequest.Method {
    /// Stands for a method that is not a token (RFC 9110 §9.1), and so has no route.
    static let unknown = Self("UNKNOWN")!  // "UNKNOWN" is a token.
}
