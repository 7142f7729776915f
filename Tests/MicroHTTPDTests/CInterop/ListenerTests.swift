import Logging
import MicroHTTPD
import Testing

@Suite struct ListenerTests {
    @Test func `A port that is taken is an error that says so`() throws {
        let first = try Server(.init(), router: plainRouter(), logger: Logger(label: "test"))
        #expect(throws: SocketError("Address already in use")) {
            try Server(
                .init(port: first.port), router: plainRouter(), logger: Logger(label: "test"))
        }
    }
}
