import Foundation
import Testing

@Suite(.enabled(if: ProcessInfo.processInfo.environment["TORTURE"] != nil, "make torture"))
struct ShutdownTortureTests {
    @Test func `Five hundred servers that stop in the middle of load answer in full or not at all`()
        async throws
    {
        let start = ContinuousClock.now
        var answered = 0
        for _ in 0..<500 {
            answered += try await stopInTheMiddle(
                shutdownTimeout: .milliseconds(.random(in: 0..<50)))
        }
        print(
            """
            500 stops: \(answered) of 27,000 requests answered, in \
            \(ContinuousClock.now - start)
            """)
    }
}
