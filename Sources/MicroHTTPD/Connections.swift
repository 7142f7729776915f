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

    /// Has libmicrohttpd close the connections whose peer has not kept its deadline.
    ///
    /// On any thread: a socket that is shut down is readable, which wakes libmicrohttpd.
    func shutDownLate(_ limits: Server.Configuration) {
        state.withLock { state in
            for (descriptor, record) in state.records {
                let (phase, age) = record.current
                switch phase {
                case .opened where age > limits.headerTimeout,
                    .content where age > limits.contentTimeout,
                    .idle where age > limits.idleTimeout + limits.headerTimeout,
                    // Without a byte of the next request.
                    .idle
                where age > limits.idleTimeout
                    && Socket.silence(descriptor) >= limits.idleTimeout:
                    Socket.shutDownReading(descriptor)
                case .response where age > limits.sendTimeout:
                    Socket.shutDown(descriptor)
                default: break
                }
                // libmicrohttpd may have to say something itself, a refusal or 100 Continue, to a
                // client that does not read: then it takes no notice of the end of its input.
                switch phase {
                case .opened where age > limits.headerTimeout + limits.sendTimeout,
                    .idle
                where age > limits.idleTimeout + limits.headerTimeout + limits.sendTimeout,
                    .content where age > limits.contentTimeout + limits.sendTimeout:
                    Socket.shutDown(descriptor)
                default: break
                }
            }
        }
    }
}
