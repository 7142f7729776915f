import CMicroHTTPD
import Glibc

/// The owner of the sockets that listen on one port.
///
/// The kernel spreads new connections over them by a hash of their addresses.
package struct Listener: ~Copyable, Sendable {
    private var descriptors: [CInt] = []
    package private(set) var port: UInt16

    /// Listens on `host`, a name or an address, and `port`; 0 takes a free one.
    ///
    /// - Throws: ``SocketError`` if a socket already listens there, even one that shares its port.
    package init(host: String, port: UInt16, count: Int = 1) throws(SocketError) {
        self.port = port
        // If one of them cannot be opened, the deinit closes the others.
        for index in 0..<max(1, count) {
            // The first one takes the port for itself, and then lets the others in.
            let sharing = index == 0 ? count > 1 ? CMHD_SHARED_LATER : CMHD_ALONE : CMHD_SHARED
            descriptors.append(try Socket.open(host, self.port, 0, sharing))
            self.port = cmhd_local_port(descriptors[0])
        }
    }

    deinit {
        for descriptor in descriptors { close(descriptor) }
    }

    var count: Int { descriptors.count }

    /// A second descriptor for one of the sockets, which the caller must close.
    package func duplicate(_ index: Int = 0) throws(SocketError) -> CInt {
        let duplicate = fcntl(descriptors[index], F_DUPFD_CLOEXEC, 0)
        guard duplicate >= 0 else { throw SocketError(errno) }
        return duplicate
    }

    /// Refuses every new connection from now on; those that wait can still be accepted.
    ///
    /// Closing the sockets would reset them. MHD_quiesce_daemon would leave them without an answer,
    /// and can abort the process (0.9.75, daemon.c:4965 against 5546).
    func refuseConnections() throws(SocketError) {
        for descriptor in descriptors where cmhd_refuse_connections(descriptor) != 0 {
            throw SocketError(errno)
        }
    }

    /// How many connections are not accepted yet.
    var backlog: Int { descriptors.reduce(0) { $0 + Int(cmhd_backlog($1)) } }
}
