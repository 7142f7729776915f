import CMicroHTTPD
import CMicroHTTPDFixes
import Glibc
import Metrics
import Synchronization

/// The register of the connections that libmicrohttpd has accepted and not yet closed.
final class Connections: Sendable {
    // libmicrohttpd removes a connection from here before it closes the descriptor. So a descriptor
    // that is in here cannot be another file's while the lock is held.
    private let records = Mutex<[CInt: ConnectionRecord]>([:])
    private let lastClosed = Atomic(cmhd_milliseconds())
    private let hasAbandoned = Atomic(false)
    private let meter = Meter(label: "http_connections")

    var count: Int { records.withLock { $0.count } }

    /// How many have bytes that are not read, a request that is not answered, or a response that is
    /// not sent.
    var unfinishedCount: Int {
        records.withLock { records in
            records.values.count { $0.current.phase.isBusy || cmhd_unread($0.descriptor) > 0 }
        }
    }

    /// How long ago one of them was opened, closed or entered another phase.
    var silence: Duration {
        let newest = records.withLock { records in
            records.values.reduce(lastClosed.load(ordering: .relaxed)) {
                max($0, $1.current.entered)
            }
        }
        return .since(newest)
    }

    /// Whether handlers may wait; not once ``abandonHandlers()`` has begun.
    var handlersMayWait: Bool { !hasAbandoned.load(ordering: .sequentiallyConsistent) }

    func insert(_ descriptor: CInt, _ server: Server) -> ConnectionRecord {
        meter.increment()
        let record = ConnectionRecord(descriptor: descriptor, server: server)
        records.withLock { $0[descriptor] = record }
        return record
    }

    func remove(_ record: ConnectionRecord) {
        records.withLock { records in
            records[record.descriptor] = nil
            lastClosed.store(cmhd_milliseconds(), ordering: .relaxed)
        }
        meter.decrement()
    }

    /// Cuts off every handler that waits and lets no other wait, so that MHD_stop_daemon may be
    /// called.
    func abandonHandlers() {
        hasAbandoned.store(true, ordering: .sequentiallyConsistent)
        for record in records.withLock({ Array($0.values) }) {
            if case .handler(let task) = record.current.phase { task.abandon() }
        }
    }

    /// Closes the connections that have been idle for `time`, to make room for others.
    func shutDownIdle(for time: Duration) {
        records.withLock { records in
            for record in records.values where record.isIdle(for: time) {
                shutdown(record.descriptor, CInt(SHUT_RD))
            }
        }
    }

    /// Closes the connections whose peer has missed its deadline, or has ended its side.
    ///
    /// libmicrohttpd does not notice an end that arrives with other bytes: epoll reports both at
    /// once, and only once.
    ///
    /// On any thread: a socket that is shut down is readable, which wakes libmicrohttpd.
    func shutDownLate(_ limits: Server.Configuration) {
        records.withLock { records in
            let hasEnded = Socket.haveEnded(records.keys)
            for (record, hasEnded) in zip(records.values, hasEnded) {
                record.shutDownIfLate(limits, hasEnded: hasEnded)
            }
        }
    }
}

/// What the server waits for on a connection, and since when.
///
/// libmicrohttpd's own timeout would restart with every byte. Its thread writes; the tasks that look
/// for late peers and that shut the server down read.
final class ConnectionRecord: Sendable {
    /// What the server waits for.
    enum Phase {
        /// The header section of the first request.
        case opened
        /// The next request, or nothing.
        case idle
        /// The rest of a request's content.
        case content(Request)
        /// The handler; also while it goes on after a wait.
        case handler(HandlerTask)
        /// The client, to read the response.
        case response

        fileprivate var isHandler: Bool { if case .handler = self { true } else { false } }

        /// Whether there is a request that is not answered, or a response that is not sent.
        fileprivate var isBusy: Bool {
            switch self {
            case .opened, .idle: false
            case .content, .handler, .response: true
            }
        }
    }

    let descriptor: CInt

    /// The server, which outlives its connections.
    unowned let server: Server

    /// The size of the requests that are answered, in bytes.
    private let answered = Atomic<UInt64>(0)

    /// The size of those and of what had arrived when the first response was made since the
    /// shutdown began, in bytes; 0 before.
    private let arrived = Atomic<UInt64>(0)

    private let state = Mutex((phase: Phase.opened, entered: cmhd_milliseconds()))

    init(descriptor: CInt, server: Server) {
        self.descriptor = descriptor
        self.server = server
    }

    /// Notes that the connection is in `phase` from now on.
    func enter(_ phase: Phase) {
        let old = state.withLock { state in
            let old = state.phase
            state = (phase, cmhd_milliseconds())
            return old
        }
        // The client may end its side meanwhile, and still gets its answer.
        if old.isHandler || phase.isHandler { cmhdf_hide_end(descriptor, phase.isHandler) }
    }

    /// Its phase, and when it entered that, by `cmhd_milliseconds`.
    var current: (phase: Phase, entered: Int64) { state.withLock(\.self) }

    /// Notes that a request of `size` bytes is answered.
    ///
    /// - Returns: whether the connection goes on: while the server drains, until those requests are
    ///   answered that had arrived together with the first one.
    func keepsAlive(after size: Int) -> Bool {
        let answered = answered.wrappingAdd(UInt64(size), ordering: .relaxed).newValue
        guard server.isDraining.load(ordering: .relaxed) else { return true }
        if arrived.load(ordering: .relaxed) == 0 {
            arrived.store(cmhdf_received(descriptor), ordering: .relaxed)
        }
        return answered < arrived.load(ordering: .relaxed)
    }

    /// Whether it has had no request and no byte of the next one for `time`.
    fileprivate func isIdle(for time: Duration) -> Bool {
        let (phase, entered) = current
        return !phase.isBusy && .since(entered) >= time
            && .milliseconds(Int64(cmhd_silence(descriptor))) >= time
    }

    /// Shuts the socket down if its peer is late or has ended its side; only under the register's
    /// lock.
    func shutDownIfLate(_ limits: Server.Configuration, hasEnded: Bool) {
        let (phase, entered) = current
        let age = Duration.since(entered)
        let limit: Duration?
        switch phase {
        case .opened: limit = limits.headerTimeout
        case .idle:
            let isSilent = isIdle(for: limits.idleTimeout)
            limit = limits.idleTimeout + (isSilent ? .zero : limits.headerTimeout)
        case .content: limit = limits.contentTimeout
        case .handler: return
        case .response: limit = nil
        }
        if age > (limit ?? .zero) + limits.sendTimeout {
            // In every phase: libmicrohttpd may have to send a rejection of its own, or
            // 100 Continue, to a client that does not read, and then misses the end of its input.
            shutdown(descriptor, CInt(SHUT_RDWR))
        } else if let limit, age > limit || hasEnded {
            // Reads return the end of the connection after what has arrived.
            shutdown(descriptor, CInt(SHUT_RD))
        }
    }
}

extension Duration {
    /// How long ago `cmhd_milliseconds` was `milliseconds`.
    fileprivate static func since(_ milliseconds: Int64) -> Self {
        .milliseconds(cmhd_milliseconds() - milliseconds)
    }
}
