import Glibc

/// The files and sockets that this process may open.
enum Descriptors {
    /// Whether it may open another one: if not, it is no fault of Service A's that it could not be
    /// called.
    static var areLeft: Bool {
        let descriptor = dup(STDOUT_FILENO)
        if descriptor >= 0 { close(descriptor) }
        return descriptor >= 0 || errno != EMFILE && errno != ENFILE
    }
}
