import Glibc
import Synchronization

/// A stream that the process was started with, written a line at a time and without a buffer.
enum StandardStream: CInt {
    case output = 1
    case error = 2

    // A line may take several calls of write(2); no other thread's line may come between them.
    private static let lock = Mutex(())

    /// Writes `line` and a newline.
    ///
    /// If nobody can read them they are lost, and the service goes on.
    func write(line: String) {
        var rest = Array("\(line)\n".utf8)[...]
        Self.lock.withLock { _ in
            while !rest.isEmpty {
                let count = unsafe rest.withUnsafeBytes { bytes in
                    unsafe Glibc.write(rawValue, bytes.baseAddress, bytes.count)
                }
                if count < 0, errno != EINTR { return }
                rest = rest.dropFirst(max(0, count))
            }
        }
    }
}
