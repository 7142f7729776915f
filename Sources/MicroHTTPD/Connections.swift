import Synchronization

/// The connections that libmicrohttpd has accepted and not yet closed.
final class Connections: Sendable {
    private struct State {
        var descriptors: Set<CInt> = []
        var lastOpened = ContinuousClock.now
    }

    // Held in hasInput, too: libmicrohttpd announces the end of a connection before it closes the
    // descriptor, so none in the set can be another file's by then.
    private let state = Mutex(State())

    /// When the newest connection was accepted.
    var lastOpened: ContinuousClock.Instant { state.withLock { $0.lastOpened } }

    /// Whether any connection has bytes that libmicrohttpd has not read yet.
    var hasInput: Bool {
        state.withLock { $0.descriptors.contains(where: Socket.hasInput) }
    }

    /// Adds an accepted connection.
    func open(_ descriptor: CInt) {
        state.withLock {
            $0.descriptors.insert(descriptor)
            $0.lastOpened = .now
        }
    }

    /// Removes a connection that is about to be closed.
    func close(_ descriptor: CInt) {
        state.withLock { _ = $0.descriptors.remove(descriptor) }
    }
}
