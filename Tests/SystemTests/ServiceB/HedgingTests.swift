import Glibc
import TestSupport
import Testing

extension SystemTests {
    @Suite struct HedgingTests {
        /// A Service A whose connections are silent while `isSilent`, and answer otherwise.
        private func serviceA(
            closed: SharedCount = SharedCount(),
            _ isSilent: @escaping @Sendable (_ number: Int) -> Bool
        ) throws -> (peer: Peer, requests: SharedCount) {
            let requests = SharedCount()
            let peer = try Peer { peer in
                while case let request = peer.request(), !request.isEmpty {
                    if isSilent(requests.add() + 1) {
                        peer.waitForClose()
                        closed.add()
                        return
                    }
                    peer.respond("{\"echo\":\"Hello\"}")
                }
            }
            return (peer, requests)
        }

        @Test func `A call without an answer is made a second time, and that answer counts`()
            throws
        {
            let closed = SharedCount()
            let (peer, requests) = try serviceA(closed: closed) { $0 == 1 }
            let b = try serviceB(
                calling: peer.port, ["--hedge-after", "100ms", "--timeout", "5s"])
            let start = ContinuousClock.now
            #expect(try get("/call-echo?msg=Hello", port: b.port).body == success("Hello"))
            #expect(ContinuousClock.now - start < .seconds(3))
            #expect(requests.value == 2)
            #expect(eventually { b.lines.contains { $0.contains(" attempts=2 ") } })
            let metrics = try get("/metrics", port: b.port).body
            #expect(metrics.contains("\nupstream_hedges_total 1\n"))
            #expect(metrics.contains("\nupstream_hedges_won_total 1\n"))
            // The attempt that lost is over as well.
            #expect(eventually { closed.value == 1 })
        }

        @Test func `A second attempt that answers too late has not won`() throws {
            let requests = SharedCount()
            let answers = SharedCount()
            let isFrozen = Gate()
            let peer = try Peer { peer in
                _ = peer.request()
                let isFirst = requests.add() == 0
                _ = eventually { isFrozen.isOpen && (isFirst || answers.value == 1) }
                peer.respond("{\"echo\":\"Hello\"}")
                answers.add()
                peer.waitForClose()
            }
            let b = try serviceB(calling: peer.port, ["--hedge-after", "20ms", "--timeout", "5s"])
            let client = try HTTPClient(port: b.port)
            try client.request("/call-echo?msg=Hello")
            #expect(eventually { requests.value == 2 })
            // So that it gets both answers at once, the first one first.
            try b.freeze()
            isFrozen.open()
            #expect(eventually { answers.value == 2 })
            b.signal(SIGCONT)
            #expect(try client.response()?.body == success("Hello"))
            let metrics = try get("/metrics", port: b.port).body
            #expect(metrics.contains("\nupstream_hedges_total 1\n"))
            #expect(metrics.contains("\nupstream_hedges_won_total 0\n"))
        }

        @Test func `A call that is made a second time has one deadline`() throws {
            let (peer, requests) = try serviceA { _ in true }
            let b = try serviceB(
                calling: peer.port, ["--hedge-after", "100ms", "--timeout", "500ms"])
            try expectFailure("timeout", port: b.port)
            #expect(requests.value == 2)
        }

        @Test func `At most ten calls in a hundred are made a second time`() throws {
            let (peer, requests) = try serviceA { _ in true }
            let b = try serviceB(calling: peer.port, ["--hedge-after", "5ms", "--timeout", "20ms"])
            for _ in 0..<100 { try expectFailure("timeout", port: b.port) }
            #expect(requests.value > 100)
            #expect(requests.value <= 110)
        }

        @Test func `A second attempt needs a place among the calls in flight`() throws {
            let (peer, requests) = try serviceA { _ in true }
            let b = try serviceB(
                calling: peer.port,
                ["--hedge-after", "50ms", "--timeout", "300ms", "--max-calls", "1"])
            try expectFailure("timeout", port: b.port)
            #expect(requests.value == 1)
            // A session with one connection would not have sent it either.
            #expect(try get("/metrics", port: b.port).body.contains("\nupstream_hedges_total 0\n"))
        }
    }
}
