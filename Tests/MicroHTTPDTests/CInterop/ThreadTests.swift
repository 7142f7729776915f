import Glibc
import Logging
import MicroHTTPD
import TestSupport
import Testing

@Suite struct ThreadTests {
    @Test func `Threads share the connections of one port, and each serves some of them`()
        async throws
    {
        var router = plainRouter()
        router.get("/thread") { _ in Response(body: Array("\(pthread_self())".utf8)) }
        try await serving(router, configure: { $0.threads = 3 }) { (port, _) throws in
            let clients = try (0..<96).map { _ in try HTTPClient(port: port) }
            var counts: [String: Int] = [:]
            for client in clients {
                try client.request("/thread")
                counts[try #require(client.response()?.body), default: 0] += 1
            }
            #expect(counts.count == 3)
            // All on two of them, or nearly all, is what chance brings once in a million runs.
            #expect(counts.values.allSatisfy { $0 >= 8 }, "\(counts)")
        }
    }

    @Test(arguments: [1, 3])
    func `A port that another server's threads share is taken`(threads: Int) async throws {
        try await serving(plainRouter(), configure: { $0.threads = 3 }) { (port, _) throws in
            var configuration = Server.Configuration(port: port)
            configuration.threads = threads
            #expect(throws: SocketError.self) {
                try Server(configuration, router: plainRouter(), logger: Logger(label: "test"))
            }
        }
    }
}
