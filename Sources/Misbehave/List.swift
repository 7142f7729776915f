import ArgumentParser
import Misbehaviours

/// `misbehave list`.
struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List them all: what each does, and what a good client makes of it.")

    func run() {
        for kind in Misbehaviour.kinds {
            Misbehave.show("\(kind.name):")
            for one in kind.all {
                Misbehave.show(
                    "  \(one.name.padded(to: 28)) \(one.summary.padded(to: 66)) "
                        + "\(one.expectation.padded(to: 22)) \(one.section)")
            }
        }
    }
}

extension String {
    /// The text and as many spaces as make it `width` characters long.
    func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }
}
