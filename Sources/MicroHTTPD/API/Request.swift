public import HTTPTypes

/// A request as a handler sees it: nothing changes it, and it is safe to keep after the response.
///
/// A class, since a request is copied more often than it is made.
public final class Request: Sendable {
    /// The name of this request in logs: the client's `X-Request-Id` if that is safe in a log
    /// (1 to 128 of `A–Z a–z 0–9 . _ -`), or else one that no other request has.
    public let id: String

    /// The place of this request in the client's trace, or in one begun here.
    public let traceContext: TraceContext

    /// When the header section had been read.
    public let received = ContinuousClock.now

    let head: RequestHead

    init(_ head: consuming RequestHead, traceContext: TraceContext?) {
        let (count, chosen) = head.headerSection.last("x-request-id")
        if count == 1, (1...128).contains(chosen.count), chosen.span.consists(of: .id) {
            id = String(ascii: chosen.span)
        } else {
            // 15 digits: as many as a String holds without an allocation.
            let number = UniqueNumber.next()
            let digits = InlineArray<15, UInt8> { UInt8(hexDigit: number >> (4 * UInt64($0))) }
            id = String(ascii: digits.span)
        }
        self.traceContext = traceContext ?? TraceContext(head.headerSection)?.child() ?? .begin()
        self.head = head
    }

    /// The request method; a `HEAD` request reaches the handler of `GET`.
    public var method: HTTPRequest.Method { head.method ?? .unknown }

    /// The path of the request target as it was sent, escapes included (RFC 9112 §3.2).
    public var path: String { head.target.path }

    /// The parameters of the query.
    public var query: Query { head.target.query }

    /// The fields of the header section (RFC 9110 §5), made anew each time.
    public var headerFields: HTTPFields { head.headerSection.fields }

    /// A request that could not be read.
    static var unknown: Request {
        Request(
            RequestHead(
                method: nil, target: RequestTarget("", query: nil, of: nil),
                headerSection: HeaderSection(), isVersion1_0: false, size: 0, isReadAsSent: false),
            traceContext: nil)
    }
}

extension HTTPRequest.Method {
    /// Stands for a method that is not a token (RFC 9110 §9.1), and so has no route.
    static let unknown = Self("UNKNOWN")!  // "UNKNOWN" is a token.
}
