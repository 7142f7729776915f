import FlyingFox
import FlyingSocks
import Foundation

struct Echo: Encodable {
    let echo: String
}

/// Service A on FlyingFox, without its log, which has lines for each request.
@main
struct FlyingFoxEcho {
    static func main() async throws {
        let port = UInt16(CommandLine.arguments[1]) ?? 8080
        let server = HTTPServer(
            address: try .inet(ip4: "127.0.0.1", port: port), logger: .disabled)
        await server.appendRoute("GET /health") { _ in HTTPResponse(statusCode: .ok) }
        await server.appendRoute("GET /echo") { request in
            let message = request.query["msg"] ?? "no message"
            return HTTPResponse(
                statusCode: .ok, headers: [.contentType: "application/json"],
                body: try JSONEncoder().encode(Echo(echo: message)))
        }
        try await server.run()
    }
}
