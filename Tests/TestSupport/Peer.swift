import Foundation
import Glibc
import MicroHTTPD
import Synchronization

/// A server on a raw socket that does to each connection what it is told, on a thread of its own.
package final class Peer: Sendable {
    /// The port that it listens on.
    package let port: UInt16

    private let descriptor: CInt

    /// How many connections there have been.
    package let connections = Counter()

    /// Starts listening; each connection is closed when `serve` returns.
    package init(serve: @escaping @Sendable (PeerConnection) -> Void) throws {
        let socket = try Listener(host: "127.0.0.1", port: 0)
        port = socket.port
        descriptor = try socket.duplicate()
        let accepting = descriptor
        Thread.detachNewThread { [connections] in
            while case let connection = accept(accepting, nil, nil), connection >= 0 {
                connections.add()
                Thread.detachNewThread {
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
}

/// A number that any thread may add to.
package final class Counter: Sendable {
    private let count = Atomic(0)

    /// The sum so far.
    package var value: Int { count.load(ordering: .relaxed) }

    /// Makes a counter that is zero.
    package init() {}

    /// Adds one.
    package func add() {
        count.add(1, ordering: .relaxed)
    }
}

/// The server's end of one connection.
package struct PeerConnection: Sendable {
    let descriptor: CInt

    /// Reads a request up to the end of its header section; empty if the client has closed.
    package func request() -> String {
        var text = ""
        while !text.contains("\r\n\r\n"), let more = receive() { text += more }
        return text
    }

    /// What comes next; nil when the client has closed the connection.
    package func receive() -> String? {
        var count = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, initialized in
            count = unsafe recv(descriptor, buffer.baseAddress, buffer.count, 0)
            initialized = max(0, count)
        }
        return count > 0 ? String(decoding: bytes, as: UTF8.self) : nil
    }

    /// Sends `text`.
    ///
    /// - Returns: false when the client takes no more.
    @discardableResult
    package func send(_ text: String) -> Bool {
        send(Array(text.utf8))
    }

    /// Sends `bytes`.
    ///
    /// - Returns: false when the client takes no more.
    @discardableResult
    package func send(_ bytes: [UInt8]) -> Bool {
        unsafe Glibc.send(descriptor, bytes, bytes.count, CInt(MSG_NOSIGNAL)) == bytes.count
    }

    /// Sends a response with this content and a right `Content-Length`.
    package func respond(_ content: String, status: String = "200 OK", fields: [String] = []) {
        let head = ["HTTP/1.1 \(status)", "Content-Length: \(content.utf8.count)"] + fields
        send((head + ["", content]).joined(separator: "\r\n"))
    }

    /// Does nothing until the client closes the connection.
    package func waitForClose() {
        while receive() != nil {}
    }

    /// Resets the connection once the client has read what was sent.
    package func resetWhenRead() {
        var unread: CInt = 0
        _ = eventually {
            // What the client's end has not acknowledged is in its queue, or on the way there.
            unsafe ioctl(descriptor, UInt(TIOCOUTQ), &unread) == 0 && unread == 0
        }
        reset()
    }

    /// Has the connection end with a reset instead of a close.
    package func reset() {
        var now = linger(l_onoff: 1, l_linger: 0)
        let size = socklen_t(MemoryLayout<linger>.size)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, size)
    }
}
