import AsyncHTTPClient
import Foundation

struct Echo: Decodable {
    let echo: String
}

/// Asks once, with a deadline of a second, and exits with 0 if the answer is right.
@main
struct Client {
    static func main() async {
        // An error that main() throws would end the process by a signal.
        let isRight = (try? await ask()) ?? false
        exit(isRight ? 0 : 1)
    }

    private static func ask() async throws -> Bool {
        let request = HTTPClientRequest(url: CommandLine.arguments[1])
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(1))
        guard response.status == .ok else { return false }
        let body = try await response.body.collect(upTo: 1_000_000)
        let answer = try JSONDecoder().decode(Echo.self, from: Data(body.readableBytesView))
        return answer.echo == "Hello"
    }
}
