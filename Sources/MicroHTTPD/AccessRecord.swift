/// What the access log has to know of one exchange, made when it has ended.
public struct AccessRecord: Sendable {
    /// The request.
    public let request: Request

    /// The path of the route; nil where no route has the request's path.
    public let route: String?

    /// The response; nil where none was sent, because the client or the server went away first.
    public let response: Response?

    /// From the request's header section to the last byte of the response.
    public let duration: Duration

    /// Whether the response left this process whole.
    public let isComplete: Bool
}
