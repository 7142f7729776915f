public import HTTPTypes

/// A rejection: the server's own, or one that a handler throws.
public struct HTTPError: Error {
    /// The status of the response, 400 to 599.
    public var status: HTTPResponse.Status

    /// What happened, or what to do about it, for the client.
    public var details: String

    /// Fields that the status asks for, such as `Allow` (RFC 9110 §15.5.6).
    public var headerFields: HTTPFields

    /// Makes a rejection.
    public init(_ status: HTTPResponse.Status, details: String, headerFields: HTTPFields = [:]) {
        self.status = status
        self.details = details
        self.headerFields = headerFields
    }
}
