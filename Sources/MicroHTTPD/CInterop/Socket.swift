import CMicroHTTPD
import Glibc

/// The owner of one connected TCP socket.
///
/// Its operations block, each for the timeout at most.
package struct Socket: ~Copyable, Sendable {
    /// Closed with this.
    package let descriptor: CInt

    /// Connects to `host` and `port`.
    package init(connectingTo host: String, port: UInt16, timeout: Duration) throws(SocketError) {
        let milliseconds = max(1, CInt(clamping: Int(timeout / .milliseconds(1))))
        descriptor = try Self.open(host, port, milliseconds, CMHD_ALONE)
    }

    deinit {
        close(descriptor)
    }

    /// Sends all of `bytes`.
    package func send(_ bytes: some Sequence<UInt8>) throws(SocketError) {
        var rest = Array(bytes)[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes {
                unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
            }
            guard count >= 0 else { throw SocketError(errno) }
            rest = rest.dropFirst(count)
        }
    }

    /// The bytes that have arrived, 64 KiB at most; none if the peer has closed the connection.
    package func receive() throws(SocketError) -> [UInt8] {
        var count = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, initialized in
            count = unsafe recv(descriptor, buffer.baseAddress, buffer.count, 0)
            initialized = max(0, count)
        }
        guard count >= 0 else { throw SocketError(errno) }
        return bytes
    }
}

extension Socket {
    /// Whether the peer of each of these sockets sends nothing more.
    static func haveEnded(_ descriptors: some Sequence<CInt>) -> [Bool] {
        var polled = descriptors.map {
            pollfd(fd: $0, events: Int16(CMHD_POLLRDHUP), revents: 0)
        }
        unsafe poll(&polled, nfds_t(polled.count), 0)
        return polled.map { $0.revents & Int16(CMHD_POLLRDHUP) != 0 }
    }

    /// `host` and `port` as in a URL, with brackets around an IPv6 address (RFC 3986 §3.2.2).
    package static func authority(_ host: String, _ port: UInt16) -> String {
        "\(host.contains(":") ? "[\(host)]" : host):\(port)"
    }

    /// Whether this is an IPv6 address.
    package static func isIPv6(_ text: ArraySlice<UInt8>) -> Bool {
        var address = in6_addr()
        return unsafe inet_pton(AF_INET6, String(decoding: text, as: UTF8.self), &address) == 1
    }

    /// Opens a socket: listening if `milliseconds` is 0, or else connected.
    static func open(
        _ host: String, _ port: UInt16, _ milliseconds: CInt, _ sharing: cmhd_sharing
    ) throws(SocketError) -> CInt {
        var problem: UnsafePointer<CChar>?
        let descriptor = unsafe cmhd_open(host, port, milliseconds, sharing, &problem)
        guard descriptor >= 0 else {
            throw unsafe SocketError(problem.map { unsafe String(cString: $0) } ?? "unknown")
        }
        return descriptor
    }
}

/// Why an operation on a socket failed.
public struct SocketError: Error, Equatable, CustomStringConvertible {
    /// The system's own words, such as "Address already in use".
    public let description: String

    /// Makes the error of these words.
    package init(_ description: String) {
        self.description = description
    }

    init(_ code: CInt) {
        description = unsafe String(cString: strerror(code))
    }
}
