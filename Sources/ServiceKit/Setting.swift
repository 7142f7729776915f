import FoundationEssentials

/// One value of the configuration: a flag beats its environment variable, which beats the default.
public struct Setting<Value> {
    private let flag: String
    private let variable: String
    private let takes: String
    private let parse: (String) -> Value?

    /// Makes a setting.
    ///
    /// - Parameter takes: what `parse` accepts, in words that end an error message.
    public init(
        _ flag: String, _ variable: String, takes: String, parse: @escaping (String) -> Value?
    ) {
        self.flag = flag
        self.variable = variable
        self.takes = takes
        self.parse = parse
    }

    /// The value for this process, which has `argument` on its command line.
    public func value(_ argument: String?, default text: String) throws(UsageError) -> Value {
        let text = argument ?? ProcessInfo.processInfo.environment[variable] ?? text
        guard let value = parse(text) else {
            throw UsageError(
                "\(argument == nil ? variable : flag) takes \(takes), not \(text.debugDescription)")
        }
        return value
    }
}

/// A mistake of whoever started the process: one line, exit code 64.
public struct UsageError: Error, CustomStringConvertible {
    /// Names the flag or variable, what it takes, and the value.
    public let description: String

    /// Makes the error; line breaks and other controls in `description` become spaces.
    public init(_ description: String) {
        let scalars = description.unicodeScalars.map { scalar in
            scalar.properties.generalCategory == .control ? " " : scalar
        }
        self.description = String(String.UnicodeScalarView(scalars))
    }
}
