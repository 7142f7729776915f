public import HTTPTypes
public import MicroHTTPD

extension Response {
    /// A response with `value` as its content and the fields that all of them have.
    public init(
        _ value: JSON, status: HTTPResponse.Status = .ok, headerFields: HTTPFields = .init()
    ) {
        self.init(status: status, headerFields: Self.jsonFields, body: value.line)
        // Without an append, the common fields are not copied.
        if !headerFields.isEmpty { self.headerFields.append(contentsOf: headerFields) }
    }

    private static let jsonFields: HTTPFields = [.contentType: "application/json"]

    /// A response that says what went wrong: `error` is a fixed phrase, `details` is for this case.
    public init(
        error: String, details: String, status: HTTPResponse.Status, headerFields: HTTPFields = [:]
    ) {
        self.init(
            ["details": .string(details), "error": .string(error)], status: status,
            headerFields: headerFields)
    }

    /// A rejection, with the reason phrase of its status as the phrase.
    public init(_ refusal: HTTPError) {
        self.init(
            error: refusal.status.reasonPhrase, details: refusal.details, status: refusal.status,
            headerFields: refusal.headerFields)
    }
}
