import AsyncHTTPClient
import Foundation
import Hummingbird

struct Echo: Codable {
    let echo: String
}

struct Answer: ResponseEncodable {
    let service_a_response: Echo
    let service_b_message: String
}

/// The context of a request, with the keys of an answer in order.
struct Context: RequestContext {
    var coreContext: CoreRequestContextStorage

    init(source: Source) {
        coreContext = .init(source: source)
    }

    var responseEncoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return encoder
    }
}

/// Service B on Hummingbird and AsyncHTTPClient.
@main
struct HummingbirdCall {
    static func main() async throws {
        let port = Int(CommandLine.arguments[1]) ?? 8081
        let serviceA = CommandLine.arguments[2]
        let router = Router(context: Context.self)
        router.get("health") { _, _ in HTTPResponse.Status.ok }
        router.get("call-echo") { request, _ in
            let message = request.uri.queryParameters.get("msg") ?? "hello"
            let value = message.addingPercentEncoding(withAllowedCharacters: .urlQueryAllowed) ?? ""
            do {
                let response = try await HTTPClient.shared.execute(
                    HTTPClientRequest(url: "\(serviceA)/echo?msg=\(value)"), timeout: .seconds(2))
                let body = try await response.body.collect(upTo: 65_536)
                return Answer(
                    service_a_response: try JSONDecoder().decode(
                        Echo.self, from: Data(buffer: body)),
                    service_b_message: "Service B called A successfully")
            } catch {
                throw HTTPError(.serviceUnavailable, message: "Service A is unavailable")
            }
        }
        let app = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: port)))
        try await app.runService()
    }
}
