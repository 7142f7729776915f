import Glibc

/// The server's end of one connection.
package struct PeerConnection: Sendable {
    private let descriptor: CInt

    /// Makes it of a descriptor, which stays the caller's.
    package init(descriptor: CInt) {
        self.descriptor = descriptor
    }

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

    /// Does nothing until the client closes the connection, and reads nothing of what it sends.
    func waitForCloseUnread() {
        let ended: Int16 = 0x2000  // POLLRDHUP, which Swift does not see.
        var polled = pollfd(fd: descriptor, events: ended, revents: 0)
        while unsafe poll(&polled, 1, -1) < 0, errno == EINTR {}
    }

    /// Sends nothing more, which the client sees as the end of the connection, and leaves it open.
    package func endSending() {
        shutdown(descriptor, CInt(SHUT_WR))
    }

    /// Returns when the client's end has acknowledged what was sent, after a second at the latest.
    package func waitUntilRead() {
        var unread: CInt = 0
        for _ in 0..<500 {
            guard unsafe ioctl(descriptor, UInt(TIOCOUTQ), &unread) == 0, unread > 0 else { return }
            usleep(2000)  // The kernel does not tell when that is.
        }
    }

    /// Resets the connection once the client has read what was sent.
    package func resetWhenRead() {
        waitUntilRead()
        reset()
    }

    /// Makes the connection end with a reset instead of a close.
    package func reset() {
        var now = linger(l_onoff: 1, l_linger: 0)
        let size = socklen_t(MemoryLayout<linger>.size)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, size)
    }
}
