import Glibc

/// A monotonic clock that costs next to nothing and is right to some milliseconds.
enum CoarseClock {
    /// Milliseconds since some time in the past.
    static var milliseconds: UInt64 {
        var now = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC_COARSE, &now)
        return UInt64(now.tv_sec) * 1000 + UInt64(now.tv_nsec) / 1_000_000
    }

    /// How long ago a time was.
    static func age(of milliseconds: UInt64) -> Duration {
        .milliseconds(Int64(Self.milliseconds) - Int64(milliseconds))
    }
}
