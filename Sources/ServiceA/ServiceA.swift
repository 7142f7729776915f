import ArgumentParser
import Logging
import MicroHTTPD
import ServiceKit

/// The echo API.
@main
struct ServiceA: ServiceCommand {
    static let configuration = CommandConfiguration(
        commandName: "service-a",
        abstract: "The echo API: GET /echo?msg=… answers with the message.",
        version: Version.text)

    static let defaultPort: UInt16 = 8080

    static let apiDescription = PackageResources.openapi_yaml

    @OptionGroup var options: ServiceOptions

    static func main() async {
        await runService()
    }

    func addRoutes(to router: inout Router, logger: Logger) {
        router.get("/echo") { request in
            Response(["echo": .string(request.query["msg"] ?? "no message")])
        }
    }
}
