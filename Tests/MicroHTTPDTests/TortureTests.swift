import Foundation
import Testing

/// How much of the torture there is to be: 1 is all, less is for builds that are slow.
private let scale = ProcessInfo.processInfo.environment["TORTURE"].flatMap { Double($0) }

@Suite(.enabled(if: scale != nil, "make torture"))
struct TortureTests {
    @Test func `Five hundred servers that stop in the middle of load answer in full or not at all`()
        async throws
    {
        let start = ContinuousClock.now
        let count = Int(500 * (scale ?? 0))
        var answered = 0
        for _ in 0..<count {
            answered += try await stopInTheMiddle(
                shutdownTimeout: .milliseconds(.random(in: 0..<50)))
        }
        print(
            """
            \(count) stops: \(answered) of \(count * 54) requests answered, in \
            \(ContinuousClock.now - start)
            """)
    }
}
