import CMicroHTTPDFixes
import Synchronization

/// What the server waits for on a connection, and since when.
///
/// libmicrohttpd's own timeout would start anew with every byte.
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
        /// The client, to take the response.
        case response
    }

    /// The socket.
    let descriptor: CInt

    /// The server, which outlives its connections.
    unowned let server: Server

    // The phase in the lowest three bits, the time above.
    private let state: Atomic<UInt64>

    init(descriptor: CInt, server: Server) {
        self.descriptor = descriptor
        self.server = server
        state = Atomic(Self.encode(.opened))
    }

    /// Notes that the connection is in `phase` from now on.
    func enter(_ phase: Phase) {
        state.store(Self.encode(phase), ordering: .relaxed)
        // The client may end its side, and still gets its answer.
        cmhdf_hide_end(descriptor, phase == .handler)
    }

    /// What the server waits for now.
    var phase: Phase { Phase(rawValue: state.load(ordering: .relaxed) & 7) ?? .handler }

    private static func encode(_ phase: Phase) -> UInt64 {
        CoarseClock.milliseconds << 3 | phase.rawValue
    }

    /// Shuts the socket down if its peer is late or has ended its side; only under the register's
    /// lock.
    func shutDownIfLate(_ limits: Server.Configuration, hasEnded: Bool) {
        let state = state.load(ordering: .relaxed)
        let age = CoarseClock.age(of: state >> 3)
        let phase = Phase(rawValue: state & 7) ?? .handler
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
            // 100 Continue, to a client that does not read, and does not notice then that its input
            // has ended.
            Socket.shutDown(descriptor)
        } else if phase != .response, age > limit || isSilent || hasEnded {
            Socket.shutDownReading(descriptor)
        }
    }
}
