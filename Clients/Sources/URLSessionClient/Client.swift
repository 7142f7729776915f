import Foundation
import FoundationNetworking

struct Echo: Decodable {
    let echo: String
}

/// Asks once, with a deadline of a second, and exits with 0 if the answer is right.
@main
struct Client {
    static func main() async throws {
        let configuration = URLSessionConfiguration.ephemeral
        configuration.timeoutIntervalForRequest = 1
        configuration.timeoutIntervalForResource = 1
        let session = URLSession(configuration: configuration)
        guard let url = URL(string: CommandLine.arguments[1]) else { exit(1) }
        let (data, response) = try await session.data(from: url)
        guard (response as? HTTPURLResponse)?.statusCode == 200 else { exit(1) }
        let answer = try JSONDecoder().decode(Echo.self, from: data)
        exit(answer.echo == "Hello" ? 0 : 1)
    }
}
