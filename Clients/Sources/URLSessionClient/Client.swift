import Foundation
import FoundationNetworking

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
        let configuration = URLSessionConfiguration.ephemeral
        configuration.timeoutIntervalForRequest = 1
        configuration.timeoutIntervalForResource = 1
        let session = URLSession(configuration: configuration)
        guard let url = URL(string: CommandLine.arguments[1]) else { return false }
        let (data, response) = try await session.data(from: url)
        guard (response as? HTTPURLResponse)?.statusCode == 200 else { return false }
        let answer = try JSONDecoder().decode(Echo.self, from: data)
        return answer.echo == "Hello"
    }
}
