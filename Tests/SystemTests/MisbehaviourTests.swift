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

        /// The variable with which Service B has a dispatch source for each socket.
        private static let withoutEpoll = ["CFNF_WITHOUT_EPOLL": "1"]

        @Test(
            arguments: Misbehaviour.endless + Misbehaviour.cutOff + Misbehaviour.valid,
            ["CFNF_WITHOUT_EPOLL", "CFNF_WITHOUT_QUEUE", "CFNF_WITHOUT_TIMERS"])
        func `Without a part of the fixes Service B survives as well`(
            _ misbehaviour: Misbehaviour, part: String
        ) async throws {
            try await onThread { () throws in
                try withKnownIssue {
                    try survive(misbehaviour, environment: [part: "1"])
                } when: {
                    !hasFixes && Misbehaviour.fixed.contains(misbehaviour.testDescription)
                }
            }
        }

        @Test(arguments: Misbehaviour.endless, [[:], Self.withoutEpoll])
        func `An answer without an end holds up no other call, and costs no memory`(
            _ misbehaviour: Misbehaviour, environment: [String: String]
        ) async throws {
            try await onThread { () throws in
                try withKnownIssue {
                    try answerOthers(during: misbehaviour, environment: environment)
                } when: {
                    !hasFixes && Misbehaviour.fixed.contains(misbehaviour.testDescription)
                }
            }
        }

        private func answerOthers(
            during misbehaviour: Misbehaviour, environment: [String: String]
        ) throws {
            // The first four connections are bad, at once, and all others are good.
            let bad = Counter()
            let peer = try Peer { peer in
                if bad.value < 4 {
                    bad.add()
                    return misbehaviour.serve(peer)
                }
                while case let request = peer.request(), !request.isEmpty {
                    peer.respond("{\"echo\":\"Hello\"}")
                }
            }
            let b = try serviceB(
                calling: peer.port, ["--timeout", "1s"], environment: environment)
            _ = try get("/metrics", port: b.port)
            let before = try b.residentBytes()
            let clients = try (0..<4).map { _ in try HTTPClient(port: b.port) }
            for (n, client) in clients.enumerated() {
                try client.request("/call-echo?msg=Hello")
                try #require(eventually { bad.value > n })
            }
            for _ in 0..<20 {
                #expect(try get("/call-echo?msg=Hello", port: b.port).body == success("Hello"))
            }
            for client in clients {
                let body = try client.response()?.body
                #expect(body?.hasPrefix(#"{"details":"\#(misbehaviour.reason ?? ""): "#) == true)
            }
            let ended = ContinuousClock.now
            #expect(
                try eventually {
                    try get("/metrics", port: b.port).body
                        .contains("\nupstream_requests_in_flight 0.0\n")
                })
            #expect(ContinuousClock.now - ended < .milliseconds(500))
            #expect(try b.residentBytes() < before + 30_000_000)
            #expect(try get("/call-echo?msg=Hello", port: b.port).body == success("Hello"))
        }

        private func survive(
            _ misbehaviour: Misbehaviour, environment: [String: String] = [:]
        ) throws {
            let isHealthy = Gate()
            let peer = try Peer { peer in
                if !isHealthy.isOpen { return misbehaviour.serve(peer) }
                while case let request = peer.request(), !request.isEmpty {
                    peer.respond("{\"echo\":\"Hello\"}")
                }
            }
            let b = try serviceB(
                calling: peer.port, ["--timeout", "500ms"], environment: environment)
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

        @Test(arguments: [
            ("", "epoll=true queue=true timers=true"),
            ("CFNF_WITHOUT_EPOLL", "epoll=false queue=false timers=true"),
            ("CFNF_WITHOUT_QUEUE", "epoll=true queue=false timers=true"),
            ("CFNF_WITHOUT_TIMERS", "epoll=true queue=true timers=false"),
        ])
        func `The fixes of FoundationNetworking are at work`(
            missing: String, parts: String
        ) async throws {
            try await onThread { () throws in
                let b = try ServiceProcess(
                    "service-b", ["--log-level", "debug"],
                    environment: missing.isEmpty ? [:] : [missing: "1"])
                withKnownIssue {
                    let line = #"debug service-b "fixes of FoundationNetworking" active=true "#
                    #expect(b.lines.contains { $0.hasSuffix(line + parts) })
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
