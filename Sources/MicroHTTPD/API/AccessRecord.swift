import HTTPTypes

/// What log, metrics and traces need to know about one exchange, made when it has ended.
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

    /// The ways an exchange can end.
    public enum Ending: Sendable {
        /// The response was sent, whole.
        case answered
        /// The connection broke first, usually because the client closed it.
        case clientLeft
        /// The shutdown timeout passed first.
        case cutOff
    }

    /// The status of the response if that was sent; 499, which is nginx's, for a client that left
    /// first, and 503 for an exchange that was cut off.
    public var code: Int {
        switch ending {
        case .answered: response?.status.code ?? 499
        case .clientLeft: 499
        case .cutOff: 503
        }
    }
}
