import Dispatch
import Glibc
import Synchronization

/// Collects the lines of the log and writes them to standard output, within 100 ms.
///
/// On any thread. A line that is urgent is written at once, with those before it; so is everything
/// when a lot has collected. Nothing waits for a reader: bytes not taken are kept and offered again,
/// and lines that find no room are dropped and counted.
final class LogWriter: Sendable {
    private struct State {
        var bytes: [UInt8] = []
        /// How many of `bytes` are written already.
        var written = 0
        var lost = 0
        var isScheduled = false
        var timestamp = Timestamp()

        var unwritten: Int { bytes.count - written }
    }

    /// How much is collected before it is written at once, in bytes.
    private static let portion = 32 * 1024

    /// How much is kept, in bytes: a tenth of a second of the busiest service.
    private static let limit = 1024 * 1024

    private let descriptor: CInt
    private let isSocket: Bool
    // The most that one write takes, in bytes.
    private let atOnce: Int
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "log")

    /// Writes to `stream`, which stays the caller's, for as long as the process lives.
    ///
    /// A terminal, or a pipe that another process fills too, may block although poll(2) calls it
    /// writable, and O_NONBLOCK would apply to all who have it open. So the writer reopens it.
    /// Where that cannot be done (no /proc, a pipe of another user), only another process that
    /// fills the pipe between poll(2) and write(2) can make a write wait.
    init(to stream: CInt) {
        var status = stat()
        let kind = unsafe fstat(stream, &status) == 0 ? status.st_mode & S_IFMT : S_IFREG
        isSocket = kind == S_IFSOCK
        atOnce = kind == S_IFREG ? Self.limit : Int(PIPE_BUF)
        let path = "/proc/self/fd/\(stream)"
        let own =
            kind == S_IFCHR || kind == S_IFIFO
            ? unsafe open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC) : -1
        descriptor = own < 0 ? stream : own
    }

    /// Appends what `line` writes, which is told the time and how many lines before it were lost.
    ///
    /// A line is whole, and no longer than `PIPE_BUF` bytes.
    func append(
        isUrgent: Bool,
        line: (_ bytes: inout [UInt8], _ timestamp: inout Timestamp, _ lost: Int) -> Void
    ) {
        state.withLock { state in
            if state.unwritten >= Self.portion { write(&state) }
            guard state.unwritten < Self.limit else {
                state.lost += 1
                return
            }
            line(&state.bytes, &state.timestamp, state.lost)
            state.lost = 0
            if isUrgent { write(&state) }
            schedule(&state)
        }
    }

    /// Writes what has been collected, at the end: a slow reader gets a second, one that takes
    /// nothing for 100 ms no more.
    func flush() {
        let deadline = ContinuousClock.now + .seconds(1)
        state.withLock { state in
            while ContinuousClock.now < deadline, writeLines(&state, patience: 100) {}
        }
    }

    private func schedule(_ state: inout State) {
        guard state.unwritten > 0, !state.isScheduled else { return }
        state.isScheduled = true
        queue.asyncAfter(deadline: .now() + .milliseconds(100)) { [self] in
            self.state.withLock { state in
                state.isScheduled = false
                write(&state)
                schedule(&state)
            }
        }
    }

    /// Writes as much as is taken without waiting.
    private func write(_ state: inout State) {
        while writeLines(&state, patience: 0) {}
        // Moved at most once for each byte written.
        if state.written > state.bytes.count / 2 {
            state.bytes.removeFirst(state.written)
            state.written = 0
        }
    }

    /// Writes whole lines when there is room within `patience` milliseconds: to a pipe no more than
    /// it takes atomically, so that those of other processes come before or after them.
    ///
    /// - Returns: whether to go on.
    private func writeLines(_ state: inout State, patience: CInt) -> Bool {
        guard state.unwritten > 0 else { return false }
        var stream = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        guard unsafe poll(&stream, 1, patience) > 0 else { return false }
        let most = state.bytes[state.written...].prefix(atOnce)
        let end = most.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? most.endIndex
        let count = unsafe most[..<end].withUnsafeBytes { lines in
            // A socket cannot be reopened, but can be told not to wait.
            isSocket
                ? unsafe send(descriptor, lines.baseAddress, lines.count, CInt(MSG_DONTWAIT))
                : unsafe Glibc.write(descriptor, lines.baseAddress, lines.count)
        }
        state.written += max(0, count)
        // There was room, and another process has taken it.
        return count > 0 || errno == EINTR || (errno == EAGAIN && patience > 0)
    }
}
