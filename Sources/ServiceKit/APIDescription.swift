import HTTPTypes
import MicroHTTPD

/// What a service answers, for programs and people that have not seen its source: OpenAPI 3.1.
struct APIDescription: Sendable {
    /// The response to `GET /openapi.yaml`.
    let response: Response

    /// Makes the description of a service out of its own half.
    init(_ paths: [UInt8]) {
        response = Response(
            headerFields: [
                .contentType: "application/yaml", .cacheControl: "no-store",
                .xContentTypeOptions: "nosniff",
            ],
            body: paths + PackageResources.openapi_yaml)
    }
}
