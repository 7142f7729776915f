/// One way in which a server can go wrong, played on a raw socket.
///
/// The catalogue is in `Catalogue/`, by kinds. A new one is one entry in one of those files.
package struct Misbehaviour: Sendable, CustomStringConvertible {
    /// What a good client makes of a misbehaviour.
    package enum Outcome: String, Sendable, CaseIterable {
        /// No complete answer came within the client's deadline.
        case late
        /// The connection ended before a complete answer.
        case cutOff = "cut off"
        /// The answer's status is not a success.
        case badStatus = "bad status"
        /// What came is not a valid answer to the request.
        case badAnswer = "bad answer"
        /// It is a valid answer, and accepted.
        case answer
    }

    /// A short name in kebab case, which stays the same.
    package let name: String

    /// What the server does, as in "drips its body".
    package let summary: String

    /// What a good client makes of it; Service B does.
    package let outcome: Outcome

    /// What a good client may make of it instead, where the specification leaves that open.
    package let alternative: Outcome?

    /// The section of a specification that says so.
    package let section: String

    /// Does it to one connection.
    package let serve: @Sendable (PeerConnection) -> Void

    /// Makes an entry of the catalogue.
    init(
        _ name: String, _ summary: String, _ outcome: Outcome, or alternative: Outcome? = nil,
        _ section: String, serve: @escaping @Sendable (PeerConnection) -> Void
    ) {
        self.name = name
        self.summary = summary
        self.outcome = outcome
        self.alternative = alternative
        self.section = section
        self.serve = serve
    }

    /// Makes one that takes the request, sends this text, and closes the connection.
    ///
    /// - Parameter text: `\n` ends a line.
    static func sends(
        _ name: String, _ summary: String, _ outcome: Outcome, or alternative: Outcome? = nil,
        _ section: String, _ text: @escaping @Sendable (Echo) -> String
    ) -> Self {
        Self(name, summary, outcome, or: alternative, section) { peer in
            peer.send(lines: text(peer.echo()))
        }
    }

    package var description: String { name }

    /// Whether accepting the answer is right.
    package var mayBeAnswered: Bool { outcome == .answer || alternative == .answer }

    /// Whether a failure is right.
    package var mayFail: Bool { outcome != .answer || alternative != nil }

    /// The outcome, and the alternative where there is one.
    package var expectation: String {
        ([outcome] + [alternative].compactMap(\.self)).map(\.rawValue).joined(separator: " or ")
    }
}

extension Misbehaviour {
    /// The catalogue.
    package static let kinds: [(name: String, all: [Misbehaviour])] = [
        ("slow", slow), ("endless", endless), ("cut-off", cutOff), ("status", status),
        ("status-line", statusLine), ("fields", fields), ("lengths", lengths), ("chunks", chunks),
        ("codings", codings), ("content", content), ("size", size), ("connections", connections),
    ]

    /// All of the catalogue.
    package static let all = kinds.flatMap(\.all)

    /// The one, or those of the kind, of this name; empty if there is none.
    package static func named(_ name: String) -> [Misbehaviour] {
        kinds.first { $0.name == name }?.all ?? all.filter { $0.name == name }
    }
}
