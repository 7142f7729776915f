import FoundationEssentials
import Misbehaviours

/// The output about trials.
struct Report {
    enum Format {
        case text, json, markdown
    }

    private let format: Format
    private let expected: Int
    private var trials: [Trial] = []

    /// Begins a report of `expected` trials.
    init(format: Format, of expected: Int) {
        self.format = format
        self.expected = expected
        if format == .markdown {
            Misbehave.show("| name | the server … | a good client | this one | in |")
            Misbehave.show("|---|---|---|---|---|")
        }
    }

    /// Whether a verdict is bad.
    var isBad: Bool { trials.contains(where: \.verdict.isBad) }

    /// Takes a trial, and prints what can be printed before the end.
    mutating func add(_ trial: Trial) {
        trials.append(trial)
        let one = trial.misbehaviour
        let end = trial.attempt.end
        let time = trial.attempt.time.inMilliseconds
        switch format {
        case .text:
            let number = "\(trials.count)/\(expected)".padded(to: 7)
            Misbehave.show(
                "\(number) \(one.name.padded(to: 28)) \(end.padded(to: 16)) "
                    + "\(time.padded(to: 9)) \(trial.verdict.rawValue)")
        case .markdown:
            let bad = trial.verdict.isBad ? " **\(trial.verdict.rawValue)**" : ""
            Misbehave.show(
                "| `\(one.name)` | \(one.summary) | \(one.expectation), \(one.section) | "
                    + "\(end)\(bad) | \(time) |")
        case .json: break
        }
        if format != .text { Misbehave.say("\r\(trials.count)/\(expected)", end: "") }
    }

    /// Prints the rest.
    func finish() {
        if format != .text { Misbehave.say("") }
        switch format {
        case .text: Misbehave.show(totals)
        case .markdown: Misbehave.show("\n\(totals)")
        case .json:
            struct Line: Encodable {
                let name, does, expected, section, end: String
                let seconds: Double
                let memory: Int?
                let verdict: Verdict
                let isBad: Bool
            }
            let lines = trials.map { trial in
                Line(
                    name: trial.misbehaviour.name, does: trial.misbehaviour.summary,
                    expected: trial.misbehaviour.expectation,
                    section: trial.misbehaviour.section, end: trial.attempt.end,
                    seconds: trial.attempt.time / .seconds(1), memory: trial.attempt.memory,
                    verdict: trial.verdict, isBad: trial.verdict.isBad)
            }
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            // Strings and numbers that are finite.
            let text = (try? encoder.encode(lines)).map { String(decoding: $0, as: UTF8.self) }
            Misbehave.show(text ?? "[]")
        }
    }

    private var totals: String {
        let counts = Verdict.allCases.compactMap { verdict in
            let count = trials.count { $0.verdict == verdict }
            return count == 0 ? nil : "\(count) \(verdict.rawValue)"
        }
        return "\(trials.count) tried: \(counts.joined(separator: ", "))"
    }
}
