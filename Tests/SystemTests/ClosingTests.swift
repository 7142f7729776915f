import Foundation
import TestSupport
import Testing

/// Calls Service B on one connection until `isOver`, with pauses of up to 10 ms.
private func call(port: UInt16, until isOver: Gate, _ outcomes: Tally) {
    guard let client = try? HTTPClient(port: port) else { return }
    while !isOver.isOpen {
        guard (try? client.request("/call-echo?msg=Hello")) != nil,
            let reply = try? client.response()
        else { return }  // The process has ended, or else the test says so.
        let reason = reply.body.dropFirst(#"{"details":""#.count).prefix { $0 != ":" }
        outcomes.add(reply.status == 503 ? String(reason) : String(reply.status))
        usleep(.random(in: 0...10_000))
    }
}

/// Makes `wanted` calls while connections to Service A end at any moment; five crashes are enough.
///
/// Service B has TEST_SLOW_HANGUP: its libdispatch pauses where a reset can make it crash. Without
/// an epoll set for each session a few calls then end it, in place of 80,000 and more.
private func endConnections(
    ofCalls wanted: Int, environment: [String: String] = [:]
) throws -> (outcomes: [String: Int], crashes: [CInt]) {
    let peer = try Peer { peer in
        while case let request = peer.request(), !request.isEmpty {
            peer.respond("{\"echo\":\"Hello\"}")
            guard Bool.random() else { continue }
            usleep(.random(in: 0...1000))
            if Bool.random() { peer.reset() }
            return
        }
    }
    // A backtrace of a crash under a sanitizer takes half a minute.
    let slowly = interposer.merging(
        ["TEST_SLOW_HANGUP": "1", "SWIFT_BACKTRACE": "enable=no"]
    ) { $1 }
    let outcomes = Tally()
    var runs = 0
    var crashes: [CInt] = []
    let start = ContinuousClock.now
    while outcomes.sum < wanted, crashes.count < 5,
        ContinuousClock.now - start < .seconds(3600)
    {
        runs += 1
        let b = try serviceB(
            calling: peer.port, ["--log-level", "notice"],
            environment: slowly.merging(environment) { $1 })
        let isOver = Gate()
        let clients = (0..<32).map { _ in
            let isDone = Gate()
            Thread.detachNewThread {
                call(port: b.port, until: isOver, outcomes)
                isDone.open()
            }
            return isDone
        }
        // What has not ended by then goes on in a process that is started afresh.
        _ = eventually(within: .seconds(4)) {
            outcomes.sum >= wanted || clients.allSatisfy(\.isOpen)
        }
        isOver.open()
        #expect(eventually(within: .seconds(30)) { clients.allSatisfy(\.isOpen) })
        b.signal(SIGTERM)
        let code = b.exitCode()
        guard code != 0 else { continue }
        crashes.append(code)
        print(b.errorText)
    }
    print(
        """
        closing connections: \(outcomes.sum) calls in \(runs) runs, \(outcomes.counts), \
        \(crashes.count) crashes \(crashes)
        """)
    return (outcomes.counts, crashes)
}

extension SystemTests {
    @Suite struct ClosingTests {
        // Without the epoll sets Service B crashes, which shows that the load is the right one.
        @Test(arguments: [[:], ["CFNF_WITHOUT_EPOLL": "1"]])
        func `Connections to Service A that end early end no process`(
            environment: [String: String]
        ) async throws {
            try await onThread { () throws in
                let (outcomes, crashes) = try endConnections(
                    ofCalls: 1000, environment: environment)
                withKnownIssue {
                    #expect(crashes.isEmpty)
                } when: {
                    !hasFixes || !environment.isEmpty
                }
                #expect(Set(outcomes.keys).isSubset(of: ["200", "reset"]))
            }
        }
    }
}

extension SystemTests.TortureTests {
    // CRASH_CALLS says how many calls, in place of half a million; with CFNF_WITHOUT_EPOLL=1 they
    // end Service B.
    @Test func `Connections to Service A that end at any moment end no process`() async throws {
        try await onThread { () throws in
            let variables = ProcessInfo.processInfo.environment
            let wanted =
                variables["CRASH_CALLS"].flatMap { Int($0) } ?? Int(500_000 * (scale ?? 0))
            let (outcomes, crashes) = try endConnections(
                ofCalls: wanted,
                environment: variables.filter { $0.key == "CFNF_WITHOUT_EPOLL" })
            #expect(crashes.isEmpty)
            #expect(outcomes.values.reduce(0, +) >= wanted)
            #expect(Set(outcomes.keys).isSubset(of: ["200", "reset"]))
        }
    }
}
