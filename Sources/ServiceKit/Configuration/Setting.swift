public import ArgumentParser
import MicroHTTPD

/// The values of an option: how text becomes one, and how they are described.
public struct Setting<Value>: Sendable {
    fileprivate let takes: String
    fileprivate let parse: @Sendable (String) -> Value?
    fileprivate let text: @Sendable (Value) -> String

    /// Makes a setting.
    ///
    /// - Parameters:
    ///   - takes: what `parse` accepts, in words that end "--port takes …".
    ///   - text: how a value is written in `--help`.
    public init(
        takes: String, text: @escaping @Sendable (Value) -> String = { "\($0)" },
        parse: @escaping @Sendable (String) -> Value?
    ) {
        self.takes = takes
        self.parse = parse
        self.text = text
    }

    func value(_ text: String) throws(UsageError) -> Value {
        guard let value = parse(text) else {
            throw UsageError("takes \(takes), not \(text.debugDescription)")
        }
        return value
    }
}

extension Option {
    /// Declares an option of a service: its flag, its environment variable and its default.
    ///
    /// The variable is printed behind the flag by `--help`; ``ServiceCommand`` reads it there.
    public init(
        wrappedValue: Value, name: NameSpecification = .long, _ abstract: String,
        variable: String, _ setting: Setting<Value>
    ) {
        self.init(
            wrappedValue: wrappedValue, name: name, parsing: .unconditional,
            help: ArgumentHelp(
                "\(abstract) (default: \(setting.text(wrappedValue))).", valueName: variable),
            transform: { try setting.value($0) })
    }
}

extension Setting where Value == Duration {
    /// A number and a unit, such as `250ms`, `1.5s` or `1m`, from `minimum` to a day.
    public static func duration(atLeast minimum: Duration = .milliseconds(1)) -> Self {
        let least = minimum == .zero ? "" : ", at least \(minimum.text)"
        return Self(
            takes: "a number and a unit (ms, s or m)\(least) and at most 1440m", text: \.text
        ) { text in
            // Double alone would take "1e3", "0x10", "inf" and "-1" too.
            guard let match = text.wholeMatch(of: /([0-9.]+)(ms|s|m)/),
                let count = Double(match.1)
            else { return nil }
            let seconds = count * (match.2 == "ms" ? 0.001 : match.2 == "s" ? 1 : 60)
            guard seconds <= 1440 * 60, .seconds(seconds) >= minimum else { return nil }
            return .seconds(seconds)
        }
    }
}

extension Setting where Value == Duration? {
    /// A duration, or `off`.
    public static func durationOrOff() -> Self {
        let duration = Setting<Duration>.duration()
        return Self(takes: "off, or \(duration.takes)", text: { $0?.text ?? "off" }) { text in
            text == "off" ? .some(nil) : duration.parse(text).map { .some($0) }
        }
    }
}

extension Setting where Value: FixedWidthInteger & Sendable {
    /// A number of plain decimal digits: no sign, no blank.
    public static func wholeNumber(
        _ range: ClosedRange<Value>, text: @escaping @Sendable (Value) -> String = { "\($0)" }
    ) -> Self {
        let takes = "a whole number from \(range.lowerBound) to \(range.upperBound)"
        return Self(takes: takes, text: text) { text in
            guard text.utf8.allSatisfy(\.isDigit), let number = Value(text),
                range.contains(number)
            else { return nil }
            return number
        }
    }
}

extension Setting where Value: CaseIterable & RawRepresentable<String> & Sendable {
    /// The name of a case.
    public static var name: Self {
        let names = Value.allCases.map(\.rawValue)
        return Self(takes: "one of \(names.joined(separator: ", "))") { Value(rawValue: $0) }
    }
}

extension Duration {
    /// The duration as an option takes it.
    fileprivate var text: String {
        let milliseconds = Int(self / .milliseconds(1))
        return milliseconds % 1000 == 0 ? "\(milliseconds / 1000)s" : "\(milliseconds)ms"
    }
}

/// A mistake in the command line or the environment: one line, exit code 64.
public struct UsageError: Error, CustomStringConvertible {
    /// What is wrong; line breaks and other controls are spaces.
    public let description: String

    /// Makes the error.
    public init(_ description: String) {
        let scalars = description.unicodeScalars.map { scalar in
            scalar.properties.generalCategory == .control ? " " : scalar
        }
        self.description = String(String.UnicodeScalarView(scalars))
    }
}
