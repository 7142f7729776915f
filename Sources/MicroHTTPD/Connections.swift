import Synchronization

/// The connections that libmicrohttpd has accepted and not yet closed.
final class Connections: Sendable {
    private struct State {
        var records: [CInt: ConnectionRecord] = [:]
        var lastOpened = ContinuousClock.now
    }

    // libmicrohttpd has a connection removed before it closes the descriptor. So whoever holds the
    // lock can use a descriptor that is in here: it cannot be another file's.
    private let state = Mutex(State())

    /// How many there are.
    var count: Int { state.withLock { $0.records.count } }

    /// When the newest connection was accepted.
    var lastOpened: ContinuousClock.Instant { state.withLock { $0.lastOpened } }

    /// Whether any connection has bytes that libmicrohttpd has not read yet.
    var hasInput: Bool {
        state.withLock { $0.records.keys.contains(where: Socket.hasInput) }
    }

    /// Adds an accepted connection.
    func insert(_ record: ConnectionRecord) {
        state.withLock {
            $0.records[record.descriptor] = record
            $0.lastOpened = .now
        }
    }

    /// Removes a connection that is about to be closed.
    func remove(_ record: ConnectionRecord) {
        state.withLock { _ = $0.records.removeValue(forKey: record.descriptor) }
    }

    /// Has libmicrohttpd close the connections whose peer has not kept its deadline, or has ended
    /// its side.
    ///
    /// Of an end that arrives with other bytes, libmicrohttpd takes no notice: epoll reports both
    /// at once, and only once.
    ///
    /// On any thread: a socket that is shut down is readable, which wakes libmicrohttpd.
    func shutDownLate(_ limits: Server.Configuration) {
        state.withLock { state in
            let ended = Socket.ended(state.records.keys)
            for (descriptor, record) in state.records {
                let (phase, age) = record.current
                let limit: Duration
                switch phase {
                case .opened: limit = limits.headerTimeout
                case .idle: limit = limits.idleTimeout + limits.headerTimeout
                case .content: limit = limits.contentTimeout
                case .response: limit = .zero
                case .handler: continue
                }
                // Without a byte of the next request.
                let isSilent =
                    phase == .idle && age > limits.idleTimeout
                    && Socket.silence(descriptor) >= limits.idleTimeout
                if age > limit + limits.sendTimeout {
                    // In every phase: libmicrohttpd may have to say something itself, a refusal or
                    // 100 Continue, to a client that does not read, and takes no notice then of
                    // the end of its input.
                    Socket.shutDown(descriptor)
                } else if phase != .response, age > limit || isSilent || ended.contains(descriptor)
                {
                    Socket.shutDownReading(descriptor)
                }
            }
        }
    }
}
