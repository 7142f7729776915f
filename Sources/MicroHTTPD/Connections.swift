import Synchronization

/// The connections that libmicrohttpd has accepted and not yet closed.
final class Connections: Sendable {
    private struct State {
        var descriptors: Set<CInt> = []
        var lastOpened = ContinuousClock.now
    }

    private let state = Mutex(State())

    /// How many there are.
    var count: Int { state.withLock { $0.descriptors.count } }

    /// When the newest connection was accepted.
    var lastOpened: ContinuousClock.Instant { state.withLock { $0.lastOpened } }

    /// Whether any connection has bytes that libmicrohttpd has not read yet.
    var hasInput: Bool {
        // Under the lock: libmicrohttpd has a connection removed before it closes the descriptor,
        // which therefore cannot be another file's.
        state.withLock { $0.descriptors.contains(where: Socket.hasInput) }
    }

    /// Adds an accepted connection.
    func insert(_ descriptor: CInt) {
        state.withLock {
            $0.descriptors.insert(descriptor)
            $0.lastOpened = .now
        }
    }

    /// Removes a connection that is about to be closed.
    func remove(_ descriptor: CInt) {
        state.withLock { _ = $0.descriptors.remove(descriptor) }
    }
}
