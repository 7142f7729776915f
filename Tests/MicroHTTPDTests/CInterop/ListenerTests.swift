import Glibc
import Logging
import MicroHTTPD
import Synchronization
import TestSupport
import Testing

@Suite struct ListenerTests {
    @Test func `A port that is taken is an error that says so`() throws {
        let first = try Server(.init(), router: plainRouter(), logger: Logger(label: "test"))
        #expect(throws: SocketError("Address already in use")) {
            try Server(
                .init(port: first.port), router: plainRouter(), logger: Logger(label: "test"))
        }
    }

    @Test(.ownThread)
    func `Of two servers that start at the same moment on one port, not both have it`() throws {
        var configuration = Server.Configuration()
        configuration.threads = 2
        // It is free again when the server that has found it is gone.
        configuration.port =
            try Server(configuration, router: plainRouter(), logger: Logger(label: "test")).port
        let contest = Contest()
        let rival = inBackground { [configuration] in contest.run(configuration) }
        contest.run(configuration)
        #expect(eventually { rival.isOpen })
        #expect(contest.shared.load(ordering: .sequentiallyConsistent) == 0)
    }

    /// Two threads that start servers at the same moments.
    private final class Contest: Sendable {
        /// How often both had the port.
        let shared = Atomic(0)

        private let arrived = Atomic(0)
        private let holders = Atomic(0)

        func run(_ configuration: Server.Configuration) {
            // In most rounds, both threads are between bind(2) and listen(2) at once.
            for round in 0..<200 {
                meet(2 * round + 1)
                let server = try? Server(
                    configuration, router: plainRouter(), logger: Logger(label: "test"))
                withExtendedLifetime(server) {
                    let count = server == nil ? 0 : 1
                    let all = holders.add(count, ordering: .sequentiallyConsistent).newValue
                    if count == 1, all == 2 { shared.add(1, ordering: .sequentiallyConsistent) }
                    meet(2 * round + 2)
                    holders.subtract(count, ordering: .sequentiallyConsistent)
                }
            }
        }

        private func meet(_ count: Int) {
            arrived.add(1, ordering: .sequentiallyConsistent)
            while arrived.load(ordering: .sequentiallyConsistent) < 2 * count { sched_yield() }
        }
    }
}
