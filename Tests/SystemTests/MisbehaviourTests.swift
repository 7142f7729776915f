import Foundation
import TestSupport
import Testing

extension SystemTests {
    @Suite struct MisbehaviourTests {
        @Test(arguments: Misbehaviour.all)
        func `Whatever Service A does is one word within one deadline, and harms nothing`(
            _ misbehaviour: Misbehaviour
        ) async throws {
            try await onThread { () throws in
                try withKnownIssue {
                    try survive(misbehaviour)
                } when: {
                    !hasFixes && Misbehaviour.fixed.contains(misbehaviour.testDescription)
                }
            }
        }

        private func survive(_ misbehaviour: Misbehaviour) throws {
            let isHealthy = Gate()
            let peer = try Peer { peer in
                if !isHealthy.isOpen { return misbehaviour.serve(peer) }
                while case let request = peer.request(), !request.isEmpty {
                    peer.respond("{\"echo\":\"Hello\"}")
                }
            }
            let b = try serviceB(calling: peer.port, ["--timeout", "500ms"])
            let before = try b.residentBytes()
            let times = try (0..<3).map { _ in
                let start = ContinuousClock.now
                if let reason = misbehaviour.reason {
                    try expectFailure(reason, port: b.port)
                } else {
                    #expect(try get("/call-echo?msg=Hello", port: b.port).body == success("Hello"))
                }
                return ContinuousClock.now - start
            }
            if ProcessInfo.processInfo.environment["FAILURE_TABLE"] != nil {
                let median = times.sorted()[1] / .milliseconds(1)
                let (status, word) = misbehaviour.reason.map { ("503", "`\($0)`") } ?? ("200", "")
                print(
                    "| \(misbehaviour.testDescription) | \(status) \(word) | \(Int(median.rounded(.up))) ms |"
                )
            }
            #expect(try b.residentBytes() < before + 30_000_000)
            #expect(try get("/health", port: b.port).status == 200)
            isHealthy.open()
            #expect(try get("/call-echo?msg=Hello", port: b.port).body == success("Hello"))
            b.signal(SIGTERM)
            #expect(b.exitCode() == 0, "\(b.errorText)")
        }

        @Test(arguments: [1, 50, 250], Misbehaviour.slow)
        func `A short deadline is kept`(milliseconds: Int, _ slow: Misbehaviour) async throws {
            try await onThread { () throws in
                let peer = try Peer(serve: slow.serve)
                let b = try serviceB(calling: peer.port, ["--timeout", "\(milliseconds)ms"])
                _ = try get("/health", port: b.port)
                for _ in 0..<3 {
                    let start = ContinuousClock.now
                    let reply = try get("/call-echo?msg=Hello", port: b.port)
                    let time = ContinuousClock.now - start
                    #expect(reply.body.hasPrefix(#"{"details":"timeout: "#))
                    #expect(time >= .milliseconds(milliseconds))
                    // 50 ms are promised; the rest is for a machine that does other things as well.
                    #expect(time < .milliseconds(milliseconds + 250))
                }
            }
        }

        @Test func `The fixes of FoundationNetworking are at work`() async throws {
            try await onThread { () throws in
                let b = try ServiceProcess("service-b", ["--log-level", "debug"])
                withKnownIssue {
                    let line = #"debug service-b "fixes of FoundationNetworking" active=true"#
                    #expect(b.lines.contains { $0.hasSuffix(line) })
                } when: {
                    !hasFixes
                }
            }
        }

        @Test func `A connection that never opens is a timeout`() async throws {
            try await onThread { () throws in
                let hole = try BlackHole()
                let b = try serviceB(calling: hole.port, ["--timeout", "300ms"])
                for _ in 0..<3 { try expectFailure("timeout", port: b.port) }
                #expect(try get("/health", port: b.port).status == 200)
            }
        }
    }
}
