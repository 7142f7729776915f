import Misbehaviours

/// What can be tried: a command or a service.
protocol Client {
    /// Makes it ask a server that does `misbehaviour`, and ends it when the limit has passed.
    func attempt(_ misbehaviour: Misbehaviour, within limit: Duration) throws -> Attempt
}

/// How a client met one misbehaviour.
struct Attempt {
    /// How it ended, in its own terms: `exit 28`, `signal 11`, `503 timeout`.
    var end: String
    var time: Duration
    /// Its peak memory, in bytes.
    var memory: Int?
    /// Whether it has taken what came for the answer.
    var hasAnswer = false
    var hasCrashed = false
    /// Whether it took no right answer afterwards.
    var isStuck = false
}

/// How long a client may take, and how large it may get.
struct TrialLimits {
    /// The deadline that the client has been given.
    let timeout: Duration

    /// Bytes more than a plain answer takes.
    let growth: Int

    /// When it is late: twice the time of a plain answer, in which it starts, is not counted, nor
    /// half a second, for a busy machine.
    func time(plain: Attempt) -> Duration { timeout + plain.time * 2 + .milliseconds(500) }
}

/// The judgement on an attempt.
enum Verdict: String, CaseIterable, Encodable {
    case answered
    case failed = "failed in time"
    /// Milder than the bad ones: nobody was deceived.
    case refused = "refused a valid answer"
    case late
    case crashed
    case wrong = "wrong: took it for an answer"
    case grew
    case stuck = "stuck: takes no right answer any more"

    /// Whether a good client never has it.
    var isBad: Bool { ![.answered, .failed, .refused].contains(self) }
}

/// One misbehaviour, and the verdict on the client that met it.
struct Trial {
    let misbehaviour: Misbehaviour
    let attempt: Attempt
    let verdict: Verdict

    /// Judges.
    init(_ misbehaviour: Misbehaviour, _ attempt: Attempt, _ limits: TrialLimits, plain: Attempt) {
        self.misbehaviour = misbehaviour
        self.attempt = attempt
        let growth = (attempt.memory ?? 0) - (plain.memory ?? 0)
        verdict =
            if attempt.hasCrashed {
                .crashed
            } else if attempt.time >= limits.time(plain: plain) {
                .late
            } else if growth > limits.growth {
                .grew
            } else if attempt.isStuck {
                .stuck
            } else if attempt.hasAnswer {
                misbehaviour.mayBeAnswered ? .answered : .wrong
            } else {
                misbehaviour.mayFail ? .failed : .refused
            }
    }
}
