import Logging

/// A named value in a line of the log.
struct LogField: Sendable {
    /// What a field can hold.
    enum Value: Sendable {
        case text(String)
        case integer(Int)
        case milliseconds(Milliseconds)
    }

    /// A word.
    let name: String
    let value: Value

    init(_ name: String, _ value: Value) {
        self.name = name
        self.value = value
    }

    /// The fields of an event's metadata, in no order.
    static func fields(_ metadata: Logger.Metadata) -> [Self] {
        metadata.map { name, value in
            switch value {
            case .string(let text): Self(name, .text(text))
            case .stringConvertible(let number as Int): Self(name, .integer(number))
            case .stringConvertible(let time as Milliseconds): Self(name, .milliseconds(time))
            case .stringConvertible, .array, .dictionary: Self(name, .text(value.description))
            }
        }
    }
}
