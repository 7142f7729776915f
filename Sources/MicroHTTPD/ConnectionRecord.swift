import CMicroHTTPDFixes
import Glibc
import Synchronization

/// What the server waits for on a connection, and since when.
///
/// libmicrohttpd's own timeout would start anew with every byte.
///
/// libmicrohttpd's thread writes, whoever looks for late peers reads.
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

    // The phase in the lowest three bits, the time in milliseconds above.
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

    /// The phase, and how long it has lasted.
    var current: (phase: Phase, age: Duration) {
        let state = state.load(ordering: .relaxed)
        let age = Int64(Self.milliseconds) - Int64(state >> 3)
        return (Phase(rawValue: state & 7) ?? .handler, .milliseconds(age))
    }

    private static func encode(_ phase: Phase) -> UInt64 { milliseconds << 3 | phase.rawValue }

    /// A clock that costs next to nothing and is right to some milliseconds.
    private static var milliseconds: UInt64 {
        var now = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC_COARSE, &now)
        return UInt64(now.tv_sec) * 1000 + UInt64(now.tv_nsec) / 1_000_000
    }
}
