/// What the access log has to know of one exchange, made when it has ended.
public struct AccessRecord: Sendable {
    /// The request.
    public let request: Request

    /// The path of the route; nil where no route has the request's path.
    public let route: String?

    /// The response; nil where the exchange ended before there was one to send.
    public let response: Response?

    /// From the request's header section to the last byte of the response.
    public let duration: Duration

    /// How the exchange ended.
    public let ending: Ending

    /// The ways in which an exchange can end.
    public enum Ending: Sendable {
        /// The response was sent, whole.
        case answered
        /// The connection broke first: the client closed it, as a rule.
        case clientLeft
        /// The shutdown timeout passed first.
        case cutOff
    }
}
