/// A length of time in a line of the log: milliseconds, down to the microsecond.
public struct Milliseconds: Sendable, CustomStringConvertible {
    private let duration: Duration

    /// Makes the text of a duration.
    public init(_ duration: Duration) {
        self.duration = duration
    }

    /// Such as `0.274`.
    public var description: String {
        var text: [UInt8] = []
        append(to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// Appends ``description``.
    func append(to text: inout [UInt8]) {
        let microseconds = Int(duration / .microseconds(1))
        text.append(contentsOf: "\(microseconds / 1000)".utf8)
        text.append(UInt8(ascii: "."))
        for unit in [100, 10, 1] {
            text.append(UInt8(ascii: "0") + UInt8(microseconds / unit % 10))
        }
    }
}
