import Synchronization

/// The register of the connections that libmicrohttpd has accepted and not yet closed.
final class Connections: Sendable {
    // libmicrohttpd removes a connection from here before it closes the descriptor. So a descriptor
    // that is in here cannot be another file's while the lock is held.
    private let records = Mutex<[CInt: ConnectionRecord]>([:])
    private let lastOpened = Atomic(CoarseClock.milliseconds)

    /// How many there are.
    var count: Int { records.withLock { $0.count } }

    /// How long ago the newest one was accepted.
    var silence: Duration { CoarseClock.age(of: lastOpened.load(ordering: .relaxed)) }

    /// Whether any connection has bytes that libmicrohttpd has not read yet.
    var hasInput: Bool {
        records.withLock { $0.keys.contains(where: Socket.hasInput) }
    }

    /// Adds an accepted connection.
    func insert(_ record: ConnectionRecord) {
        lastOpened.store(CoarseClock.milliseconds, ordering: .relaxed)
        records.withLock { $0[record.descriptor] = record }
    }

    /// Removes a connection that is about to be closed.
    func remove(_ record: ConnectionRecord) {
        records.withLock { _ = $0.removeValue(forKey: record.descriptor) }
    }

    /// Closes the connections whose peer has not kept its deadline, or has ended its side.
    ///
    /// libmicrohttpd does not notice an end that arrives with other bytes: epoll reports both at
    /// once, and only once.
    ///
    /// On any thread: a socket that is shut down is readable, which wakes libmicrohttpd.
    func shutDownLate(_ limits: Server.Configuration) {
        records.withLock { records in
            let ended = Socket.ended(records.keys)
            for (descriptor, record) in records {
                record.shutDownIfLate(limits, hasEnded: ended.contains(descriptor))
            }
        }
    }
}
