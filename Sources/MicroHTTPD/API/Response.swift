public import HTTPTypes
public import Logging

/// A response as a handler makes it.
///
/// The server adds `Date`, `Content-Length`, `X-Request-Id`, `Traceparent`, the fields of its
/// configuration and, where it applies, `Connection`.
public struct Response: Sendable {
    /// The status; 200 to 599.
    public var status: HTTPResponse.Status

    /// The header section.
    ///
    /// Fields with an empty value are not sent: libmicrohttpd cannot.
    public var headerFields: HTTPFields

    /// The content.
    ///
    /// A response to `HEAD` is sent without it, but with its length.
    public var body: [UInt8]

    /// Fields for the log line of this exchange beyond the request and the status; never sent.
    public var logMetadata: Logger.Metadata = [:]

    /// Makes a response.
    public init(
        status: HTTPResponse.Status = .ok, headerFields: HTTPFields = .init(), body: [UInt8] = []
    ) {
        self.status = status
        self.headerFields = headerFields
        self.body = body
    }
}
