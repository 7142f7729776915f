import Glibc
import MicroHTTPD
import Synchronization

/// A server on a raw socket that does to each connection what it is told, on a thread of its own.
package final class Peer: Sendable {
    /// The port that it listens on.
    package let port: UInt16

    private let descriptor: CInt

    /// How many connections there have been.
    package let connections = SharedCount()

    /// Starts listening; each connection is closed when `serve` returns.
    package init(
        host: String = "127.0.0.1", port: UInt16 = 0,
        serve: @escaping @Sendable (PeerConnection) -> Void
    ) throws {
        let socket = try Listener(host: host, port: port)
        self.port = socket.port
        descriptor = try socket.duplicate()
        let accepting = descriptor
        detachThread { [connections] in
            while let connection = Self.accept(accepting) {
                connections.add()
                detachThread {
                    serve(PeerConnection(descriptor: connection))
                    close(connection)
                }
            }
        }
    }

    deinit {
        // Ends the accepting thread, and those that wait for more of a request see its end.
        shutdown(descriptor, CInt(SHUT_RDWR))
        close(descriptor)
    }

    /// The next connection; nil when the peer is gone.
    private static func accept(_ descriptor: CInt) -> CInt? {
        while true {
            let connection = Glibc.accept(descriptor, nil, nil)
            if connection >= 0 {
                _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
                return connection
            }
            if errno == EINVAL || errno == EBADF { return nil }
            usleep(10_000)  // No descriptor is left, or the client has gone already.
        }
    }
}

/// A number that any thread may add to.
package final class SharedCount: Sendable {
    private let count = Atomic(0)

    /// The sum so far.
    package var value: Int { count.load(ordering: .relaxed) }

    /// Makes a counter that is zero.
    package init() {}

    /// Adds one.
    ///
    /// - Returns: the sum before.
    @discardableResult
    package func add() -> Int {
        count.add(1, ordering: .relaxed).oldValue
    }
}

/// Runs `body` on a thread of its own: it may block for as long as it must.
package func detachThread(_ body: @escaping @Sendable () -> Void) {
    final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
    // Retained here, released by the thread.
    let retained = unsafe Unmanaged.passRetained(Body(body))
    var thread = pthread_t()
    let code = unsafe pthread_create(
        &thread, nil,
        { context in
            if let context = unsafe context {
                unsafe Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run()
            }
            return nil
        }, unsafe retained.toOpaque())
    precondition(code == 0, "no thread is left")
    pthread_detach(thread)
}
