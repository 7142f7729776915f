import Foundation
import Glibc
import Synchronization

/// A pipe that several writers share, and that is read only when a test says so.
package final class LogPipe: Sendable {
    /// The end to write to, which blocks, as that of a shell's pipe does.
    package let input: CInt

    private let end: CInt
    private let isInputOpen = Atomic(true)
    private let bytes = Mutex<[UInt8]>([])

    /// Makes a pipe that takes `size` bytes, in pages.
    package init(size: CInt = 65_536) throws {
        // A FIFO, since Glibc's pipe2 is not to be had, and each end has to be closed in the
        // processes that other threads start meanwhile.
        let path = "/tmp/\(UUID().uuidString)"
        guard unsafe mkfifo(path, 0o600) == 0 else { throw POSIXError(.EIO) }
        end = unsafe open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        input = unsafe open(path, O_WRONLY | O_CLOEXEC)
        unsafe unlink(path)
        resize(size)
    }

    deinit {
        if isInputOpen.load(ordering: .relaxed) { close(input) }
        close(end)
    }

    /// Makes it take `size` bytes.
    package func resize(_ size: CInt) {
        _ = fcntl(end, 1031, size)  // F_SETPIPE_SZ
    }

    /// All that has been read so far, by the line.
    package var lines: [Substring] {
        String(decoding: bytes.withLock { $0 }, as: UTF8.self).split(separator: "\n")
    }

    /// Reads what is in it now, or comes within 10 ms.
    ///
    /// - Returns: false when nobody can write any more.
    @discardableResult
    package func read() -> Bool {
        var readable = pollfd(fd: end, events: Int16(POLLIN), revents: 0)
        unsafe poll(&readable, 1, 10)
        let count = bytes.withLock { bytes in
            var buffer = [UInt8](repeating: 0, count: 65_536)
            let count = unsafe Glibc.read(end, &buffer, buffer.count)
            if count > 0 { bytes += buffer.prefix(count) }
            return count
        }
        return count != 0
    }

    /// Closes ``input`` and reads until the others have done the same.
    package func readToEnd() {
        if isInputOpen.exchange(false, ordering: .relaxed) { close(input) }
        while read() { usleep(500) }
    }
}
