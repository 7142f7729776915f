import Dispatch
import Glibc
import Synchronization

/// Collects the lines of the log and writes them to standard output, within 100 ms.
///
/// On any thread. A line that is urgent is written at once, with those before it; so is everything
/// when there is much of it. Where nobody reads for 100 ms the service goes on: what fits is kept,
/// what does not is lost and counted, until somebody reads again.
final class LogWriter: Sendable {
    private struct State {
        var bytes: [UInt8] = []
        var lost = 0
        var isStuck = false
        var isScheduled = false
        var timestamp = Timestamp()
    }

    /// How much is collected, in bytes.
    private static let limit = 64 * 1024

    /// Standard output; where that is a terminal, which may block although poll(2) calls it writable,
    /// an open file of our own that does not, if it can be had.
    private static let descriptor: CInt = {
        guard isatty(STDOUT_FILENO) == 1 else { return STDOUT_FILENO }
        let own = unsafe open(
            "/proc/self/fd/\(STDOUT_FILENO)", O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
        return own < 0 ? STDOUT_FILENO : own
    }()

    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "log")

    /// Appends what `line` writes, which is told the time and how many lines before it were lost.
    func append(
        isUrgent: Bool,
        line: (_ bytes: inout [UInt8], _ timestamp: inout Timestamp, _ lost: Int) -> Void
    ) {
        state.withLock { state in
            if state.bytes.count >= Self.limit { Self.write(&state) }
            guard state.bytes.count < Self.limit else {
                state.lost += 1
                return
            }
            line(&state.bytes, &state.timestamp, state.lost)
            state.lost = 0
            if isUrgent { Self.write(&state) }
            schedule(&state)
        }
    }

    /// Writes what has been collected, at the end: a reader that is slow gets a second, and one that
    /// takes nothing for 100 ms no more.
    func flush() {
        state.withLock { state in
            for _ in 0..<10 where !state.bytes.isEmpty {
                let count = state.bytes.count
                state.isStuck = false
                Self.write(&state)
                if state.bytes.count == count { break }
            }
        }
    }

    private func schedule(_ state: inout State) {
        guard !state.bytes.isEmpty, !state.isScheduled else { return }
        state.isScheduled = true
        queue.asyncAfter(deadline: .now() + .milliseconds(100)) { [self] in
            self.state.withLock { state in
                state.isScheduled = false
                Self.write(&state)
                schedule(&state)
            }
        }
    }

    /// Writes as much as is taken, waiting for 100 ms in all at most, and not at all if it was so
    /// the last time; the rest stays for the next time.
    private static func write(_ state: inout State) {
        var written = 0
        let deadline = ContinuousClock.now + .milliseconds(state.isStuck ? 0 : 100)
        while written < state.bytes.count {
            let patience = max(0, CInt((deadline - .now) / .milliseconds(1)))
            var stream = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            guard unsafe poll(&stream, 1, patience) > 0 else { break }
            // A pipe that poll(2) calls writable takes so many bytes without blocking.
            let size = min(Int(PIPE_BUF), state.bytes.count - written)
            let count = unsafe state.bytes.withUnsafeBytes {
                unsafe Glibc.write(descriptor, $0.baseAddress.map { unsafe $0 + written }, size)
            }
            if count < 0, errno != EINTR { break }
            written += max(0, count)
        }
        state.isStuck = written < state.bytes.count
        if state.isStuck {
            state.bytes.removeFirst(written)
        } else {
            state.bytes.removeAll(keepingCapacity: true)
        }
    }
}
