import MicroHTTPD
import ServiceKit

/// Service A, the echo API.
@main
enum ServiceA: ServiceDefinition {
    static let name = "service-a"
    static let abstract = "The echo API: GET /echo?msg=… answers with the message."
    static let port: UInt16 = 8080
    static let apiDescription = PackageResources.openapi_yaml

    static func addRoutes(to router: inout Router, options: NoOptions) {
        router.get("/echo") { request in
            Response(["echo": .string(request.query["msg"] ?? "no message")])
        }
    }
}
