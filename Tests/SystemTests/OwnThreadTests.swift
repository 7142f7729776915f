import TestSupport
import Testing

extension SystemTests {
    /// Of the trait of ``SystemTests``, which this suite inherits.
    @Suite struct OwnThreadTests {
        @Test func `A test holds no thread of the concurrent pool, and none after it has waited`()
            async
        {
            #expect(isOnOwnThread())
            await Task.yield()
            #expect(isOnOwnThread())
            #expect(await !Task.detached { isOnOwnThread() }.value)
        }
    }
}
