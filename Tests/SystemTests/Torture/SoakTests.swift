import Foundation
import Synchronization
import TestSupport
import Testing

/// What the load has seen.
private final class Load: Sendable {
    let outcomes = Tally()
    private let longest = Mutex(Duration.zero)

    var slowest: Duration { longest.withLock { $0 } }

    func add(_ reply: HTTPReply?, to message: String, after time: Duration) {
        longest.withLock { $0 = max($0, time) }
        if reply?.status == 200, reply?.body == success(message) {
            outcomes.add("answered")
        } else if reply?.status == 503 {
            outcomes.add("unavailable")
        } else {
            outcomes.add("\(message): \(reply.map { "\($0.status) \($0.body)" } ?? "none")")
        }
    }

    /// What was neither.
    var wrong: [String] {
        outcomes.counts.keys.filter { !["answered", "unavailable"].contains($0) }
    }
}

extension SystemTests {
    @Suite(.enabled(if: ProcessInfo.processInfo.environment["SOAK"] != nil, "make soak"))
    struct SoakTests {
        private static let deadline = Duration.milliseconds(300)
        private static let host = "127.0.0.6"

        /// Calls Service B over and over, on a thread of its own, until `isOver`.
        private static func load(
            _ name: String, port: UInt16, _ load: Load,
            until isOver: @escaping @Sendable (Int) -> Bool
        ) -> Gate {
            inBackground {
                let client = try? HTTPClient(port: port)
                var number = 0
                while !isOver(number) {
                    let message = "\(name)-\(number)"
                    let start = ContinuousClock.now
                    try? client?.request("/call-echo?msg=\(message)")
                    let reply = try? client?.response()
                    load.add(reply, to: message, after: ContinuousClock.now - start)
                    number += 1
                }
            }
        }

        @Test func `A hundred failures of Service A leave nothing behind in Service B`() throws {
            var a = try ServiceProcess(
                "service-a", address: ["--host", Self.host, "--port", "0"])
            let address = ["--host", Self.host, "--port", String(a.port)]
            let b = try serviceB(calling: a.port, host: Self.host, ["--timeout", "300ms"])
            #expect(try get("/call-echo?msg=0", port: b.port).status == 200)
            let threads = try b.threads()
            let descriptors = try b.descriptors()

            let chaos = Load()
            let isOver = Gate()
            let loads = (0..<8).map { n in
                Self.load("\(n)", port: b.port, chaos) { _ in isOver.isOpen }
            }
            var firstCalls = 0
            for cycle in 0..<120 {
                switch Int.random(in: 0..<3) {
                case 0:
                    a.signal(SIGKILL)
                    _ = a.exitCode()
                    usleep(.random(in: 0..<200_000))
                    a = try ServiceProcess("service-a", address: address)
                case 1:
                    try a.freeze()
                    usleep(.random(in: 0..<600_000))
                    a.signal(SIGCONT)
                default:
                    a.signal(SIGTERM)
                    _ = a.exitCode()
                    a = try ServiceProcess("service-a", address: address)
                }
                let reply = try get("/call-echo?msg=first-\(cycle)", port: b.port)
                if reply.body == success("first-\(cycle)") { firstCalls += 1 }
            }
            isOver.open()
            for load in loads { #expect(eventually { load.isOpen }) }
            print(
                """
                120 failures: \(chaos.outcomes["answered"]) calls answered, \(chaos.outcomes["unavailable"]) with 503, \
                \(chaos.wrong.count) wrong, \(firstCalls) of 120 first calls after recovery \
                answered, slowest \(chaos.slowest)
                """)
            #expect(chaos.wrong.isEmpty, "\(chaos.wrong.prefix(5))")
            #expect(firstCalls == 120)
            #expect(chaos.slowest < Self.deadline + .milliseconds(250))
            #expect(chaos.outcomes["answered"] > 1000 && chaos.outcomes["unavailable"] > 100)

            // Resident memory over calls, from the moment when it has settled.
            var samples: [(calls: Double, bytes: Double)] = []
            let calm = Load()
            for part in 0..<24 {
                let loads = (0..<8).map { n in
                    Self.load("\(part)-\(n)", port: b.port, calm) { $0 == 625 }
                }
                for load in loads { #expect(eventually(within: .seconds(60)) { load.isOpen }) }
                if part >= 4 {
                    samples.append(
                        (Double(calm.outcomes["answered"]), Double(try b.residentBytes())))
                }
            }
            #expect(calm.outcomes["answered"] == 120_000)
            let meanCalls = samples.map(\.calls).reduce(0, +) / Double(samples.count)
            let meanBytes = samples.map(\.bytes).reduce(0, +) / Double(samples.count)
            let slope =
                samples.map { ($0.calls - meanCalls) * ($0.bytes - meanBytes) }.reduce(0, +)
                / samples.map { ($0.calls - meanCalls) * ($0.calls - meanCalls) }.reduce(0, +)
            print(
                """
                100,000 calls: \(String(format: "%.1f", slope)) bytes of memory a call, \
                \(Int(meanBytes) / 1_000_000) MB resident, slowest \(calm.slowest)
                """)
            #expect(slope < 10)
            let isAsBefore = try eventually(within: .seconds(30)) {
                try b.threads() <= threads + 4 && b.descriptors() <= descriptors + 8
            }
            print(
                """
                threads \(threads) before, \(try b.threads()) after; \
                descriptors \(descriptors) before, \(try b.descriptors()) after
                """)
            #expect(isAsBefore)
        }
    }
}
