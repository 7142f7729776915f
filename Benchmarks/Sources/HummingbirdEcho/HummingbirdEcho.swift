import Hummingbird

struct Echo: ResponseEncodable {
    let echo: String
}

/// Service A on Hummingbird.
@main
struct HummingbirdEcho {
    static func main() async throws {
        let port = Int(CommandLine.arguments[1]) ?? 8080
        let router = Router()
        router.get("health") { _, _ in HTTPResponse.Status.ok }
        router.get("echo") { request, _ in
            Echo(echo: request.uri.queryParameters.get("msg") ?? "no message")
        }
        let app = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: port)))
        try await app.runService()
    }
}
