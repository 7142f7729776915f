/// A length of time in a line of the log: milliseconds, down to the microsecond.
public struct Milliseconds: Sendable, CustomStringConvertible {
    private let duration: Duration

    /// Makes the text of a duration.
    public init(_ duration: Duration) {
        self.duration = duration
    }

    /// Such as `0.274`.
    public var description: String {
        let microseconds = Int(duration / .microseconds(1))
        let fraction = String(microseconds % 1000)
        return "\(microseconds / 1000)." + String(repeating: "0", count: 3 - fraction.count)
            + fraction
    }
}
