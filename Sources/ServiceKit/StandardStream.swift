import Glibc
import Synchronization

/// A stream that the process was started with, written a line at a time and without a buffer.
enum StandardStream: CInt {
    case output = 1
    case error = 2

    private struct State {
        var isStuck = false
        var lost = 0
    }

    // A line may take several calls of write(2); no other thread's line may come between them.
    private static let state = Mutex(State())

    /// Writes `line` and a newline.
    ///
    /// Where nobody reads them for 100 ms they are lost, and so are all that follow until somebody
    /// reads again; then a line tells how many. The service goes on.
    func write(line: String) {
        Self.state.withLock { state in
            var text = "\(line)\n"
            if state.lost > 0 { text = "\(state.lost) lines of the log were lost here\n\(text)" }
            if write(Array(text.utf8)[...], patience: state.isStuck ? 0 : 100) {
                state = State()
            } else {
                state.isStuck = true
                state.lost += 1
            }
        }
    }

    /// Writes `bytes`, waiting for `patience` milliseconds at most each time that it has to.
    private func write(_ bytes: ArraySlice<UInt8>, patience: CInt) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            var stream = pollfd(fd: rawValue, events: Int16(POLLOUT), revents: 0)
            guard unsafe poll(&stream, 1, patience) > 0 else { return false }
            // A pipe that poll(2) calls writable takes so many bytes without blocking.
            let count = unsafe rest.prefix(Int(PIPE_BUF)).withUnsafeBytes { bytes in
                unsafe Glibc.write(rawValue, bytes.baseAddress, bytes.count)
            }
            if count < 0, errno != EINTR { return false }
            rest = rest.dropFirst(max(0, count))
        }
        return true
    }
}
