import CMicroHTTPD
import CMicroHTTPDFixes
import Metrics
import Synchronization

/// The register of the connections that libmicrohttpd has accepted and not yet closed.
final class Connections: Sendable {
    // libmicrohttpd removes a connection from here before it closes the descriptor. So a descriptor
    // that is in here cannot be another file's while the lock is held.
    private let records = Mutex<[CInt: ConnectionRecord]>([:])
    private let lastChange = Atomic(cmhd_milliseconds())
    private let isClosed = Atomic(false)
    private let meter = Meter(label: "http_connections")

    init() {
        meter.set(0)
    }

    /// How many there are.
    var count: Int { records.withLock { $0.count } }

    /// How many have a request that is not answered, or a response that is not sent.
    var busyCount: Int { records.withLock { $0.values.count(where: \.isBusy) } }

    /// How long ago one of them was opened, closed or entered another phase.
    var silence: Duration {
        let newest = records.withLock { records in
            records.values.reduce(lastChange.load(ordering: .relaxed)) { max($0, $1.entered) }
        }
        return .since(newest)
    }

    /// Whether handlers may wait; not once ``close()`` has begun.
    var isOpen: Bool { !isClosed.load(ordering: .sequentiallyConsistent) }

    /// Whether any connection has bytes that libmicrohttpd has not read yet.
    var hasInput: Bool {
        records.withLock { $0.keys.contains(where: Socket.hasInput) }
    }

    /// Adds a connection that `server` has accepted.
    func insert(_ descriptor: CInt, _ server: Server) -> ConnectionRecord {
        lastChange.store(cmhd_milliseconds(), ordering: .relaxed)
        meter.increment()
        let record = ConnectionRecord(descriptor: descriptor, server: server)
        records.withLock { $0[descriptor] = record }
        return record
    }

    /// Removes a connection that is about to be closed.
    func remove(_ record: ConnectionRecord) {
        records.withLock { _ = $0.removeValue(forKey: record.descriptor) }
        meter.decrement()
        lastChange.store(cmhd_milliseconds(), ordering: .relaxed)
    }

    /// Cuts off every handler that waits and lets no other wait, so that MHD_stop_daemon may be
    /// called.
    func close() {
        isClosed.store(true, ordering: .sequentiallyConsistent)
        for record in records.withLock({ Array($0.values) }) {
            record.handler.withLock { $0 }?.abandon()
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
/// libmicrohttpd's own timeout would restart with every byte.
///
/// libmicrohttpd's thread writes; the task that looks for late peers reads.
final class ConnectionRecord: Sendable {
    /// What the server waits for.
    enum Phase: UInt64 {
        /// The header section of the first request.
        case opened
        /// The next request, or nothing.
        case idle
        /// The rest of a request's content.
        case content
        /// The handler.
        case handler
        /// The client, to read the response.
        case response
    }

    /// The socket.
    let descriptor: CInt

    /// The server, which outlives its connections.
    unowned let server: Server

    /// The handler that waits here, or has waited, until it has finished.
    let handler = Mutex<HandlerTask?>(nil)

    // The phase in the lowest three bits, the time above.
    private let state = Atomic(encode(.opened))

    init(descriptor: CInt, server: Server) {
        self.descriptor = descriptor
        self.server = server
    }

    /// Notes that the connection is in `phase` from now on.
    func enter(_ phase: Phase) {
        let old = self.phase
        state.store(Self.encode(phase), ordering: .relaxed)
        // The client may end its side meanwhile, and still gets its answer.
        if old == .handler || phase == .handler { cmhdf_hide_end(descriptor, phase == .handler) }
    }

    /// Notes that `task` is going to wait here; false if it may not.
    ///
    /// In this order: either this sees that the register is closed, or that sees the task.
    func hold(_ task: HandlerTask) -> Bool {
        handler.withLock { $0 = task }
        return server.connections.isOpen
    }

    /// What the server waits for now.
    var phase: Phase { Self.phase(of: state.load(ordering: .relaxed)) }

    /// Whether it has a request that is not answered, or a response that is not sent.
    var isBusy: Bool { phase != .opened && phase != .idle }

    /// When it entered its phase, by `cmhd_milliseconds`.
    var entered: Int64 { Int64(state.load(ordering: .relaxed) >> 3) }

    private static func encode(_ phase: Phase) -> UInt64 {
        UInt64(cmhd_milliseconds()) << 3 | phase.rawValue
    }

    private static func phase(of state: UInt64) -> Phase {
        Phase(rawValue: state & 7) ?? .handler
    }

    /// Shuts the socket down if its peer is late or has ended its side; only under the register's
    /// lock.
    func shutDownIfLate(_ limits: Server.Configuration, hasEnded: Bool) {
        let state = state.load(ordering: .relaxed)
        let age = Duration.since(Int64(state >> 3))
        let phase = Self.phase(of: state)
        let limit: Duration
        switch phase {
        case .opened: limit = limits.headerTimeout
        case .idle: limit = limits.idleTimeout + limits.headerTimeout
        case .content: limit = limits.contentTimeout
        case .response: limit = .zero
        case .handler: return
        }
        // Without a byte of the next request.
        let isSilent =
            phase == .idle && age > limits.idleTimeout
            && Socket.silence(descriptor) >= limits.idleTimeout
        if age > limit + limits.sendTimeout {
            // In every phase: libmicrohttpd may have to send a rejection of its own, or
            // 100 Continue, to a client that does not read, and then misses the end of its input.
            Socket.shutDown(descriptor)
        } else if phase != .response, age > limit || isSilent || hasEnded {
            Socket.shutDownReading(descriptor)
        }
    }
}

extension Duration {
    /// How long ago `cmhd_milliseconds` was `milliseconds`.
    static func since(_ milliseconds: Int64) -> Self {
        .milliseconds(cmhd_milliseconds() - milliseconds)
    }
}
