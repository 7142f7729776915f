import Foundation
import Testing

extension SystemTests {
    /// Of the trait of ``SystemTests``, which this suite inherits.
    @Suite struct OwnThreadTests {
        @Test func `A test that blocks holds no thread of the concurrent pool`() {
            #expect(Thread.current.name == "test")
        }

        @Test func `A test that waits and then blocks holds none either`() async throws {
            await Task.yield()
            func check() { #expect(Thread.current.name == "test") }
            check()
        }
    }
}
