import FoundationEssentials
import Glibc

/// Writes the time, which is formatted only once a second.
struct Timestamp {
    private var second = 0
    private var text: [UInt8] = []

    /// Appends the current time, in UTC, such as `2026-11-23T20:21:49.036Z`.
    mutating func append(to bytes: inout [UInt8]) {
        var now = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &now)
        if now.tv_sec != second {
            second = now.tv_sec
            let date = Date(timeIntervalSince1970: Double(second)).formatted(.iso8601)
            text = Array(date.utf8.dropLast())
        }
        bytes.append(contentsOf: text)
        let milliseconds = now.tv_nsec / 1_000_000
        bytes.append(UInt8(ascii: "."))
        for digit in [milliseconds / 100, milliseconds / 10 % 10, milliseconds % 10] {
            bytes.append(UInt8(ascii: "0") + UInt8(digit))
        }
        bytes.append(UInt8(ascii: "Z"))
    }
}
