import Dispatch
import Glibc
import Synchronization

/// Collects the lines of the log, on any thread, and writes them within 50 ms.
///
/// Only its own queue and ``flush()`` wait for their reader. Lines that find no room, since nobody
/// reads, are dropped and counted.
final class LogWriter: Sendable {
    private struct State {
        var bytes: [UInt8] = []
        /// How many bytes are collected, or being written.
        var unwritten = 0
        var lost = 0
        var timestamp = Timestamp()
    }

    /// How much is kept, in bytes: what the busiest service writes in 200 ms.
    private static let limit = 4 * 1024 * 1024

    private let descriptor: CInt
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "log")

    /// Writes to `stream`, which stays the caller's, for as long as the process lives.
    init(to stream: CInt) {
        descriptor = stream
    }

    /// Appends what `line` writes, which is told the time and how many lines before it were lost.
    ///
    /// A line is whole, and no longer than `PIPE_BUF` bytes.
    func append(
        _ line: (_ bytes: inout [UInt8], _ timestamp: inout Timestamp, _ lost: Int) -> Void
    ) {
        state.withLock { state in
            guard state.unwritten < Self.limit else {
                state.lost += 1
                return
            }
            let before = state.bytes.count
            line(&state.bytes, &state.timestamp, state.lost)
            state.lost = 0
            state.unwritten += state.bytes.count - before
            guard before == 0 else { return }
            queue.asyncAfter(deadline: .now() + .milliseconds(50)) { [self] in write() }
        }
    }

    /// Waits until all is written, for a second at most, and for a reader that takes nothing for
    /// 100 ms no more.
    func flush() {
        let isWritten = DispatchSemaphore(value: 0)
        queue.async { [self] in
            write()
            isWritten.signal()
        }
        for _ in 0..<10 {
            let before = state.withLock { $0.unwritten }
            if isWritten.wait(timeout: .now() + .milliseconds(100)) == .success { return }
            if state.withLock({ $0.unwritten }) == before { return }
        }
    }

    /// Writes what has collected, on the queue.
    private func write() {
        var rest = state.withLock { state in
            let bytes = state.bytes
            state.bytes = []
            state.bytes.reserveCapacity(32 * 1024)  // Growing would copy it again and again.
            return bytes[...]
        }
        while !rest.isEmpty {
            // Whole lines, and no more than a pipe takes atomically: those of other processes come
            // before or after them.
            let most = rest.prefix(Int(PIPE_BUF))
            let end = most.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? most.endIndex
            let count = unsafe most[..<end].withUnsafeBytes { lines in
                unsafe Glibc.write(descriptor, lines.baseAddress, lines.count)
            }
            if count > 0 {
                rest = rest.dropFirst(count)
                state.withLock { $0.unwritten -= count }
            } else {
                // The disk is full, the reader gone, or the stream another's, who does not wait.
                usleep(10_000)
            }
        }
    }
}
