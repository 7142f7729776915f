import Glibc
import MicroHTTPD

/// A port to which no connection opens, since its backlog is full and nobody accepts.
package final class BlackHole {
    /// The port.
    package let port: UInt16

    private let listener: Listener
    private var clients: [HTTPClient] = []

    /// Listens, and fills the backlog.
    package init(host: String = "127.0.0.1", port: UInt16 = 0) throws {
        listener = try Listener(host: host, port: port)
        self.port = listener.port
        let descriptor = try listener.duplicate()
        listen(descriptor, 0)
        close(descriptor)
        while let client = try? HTTPClient(
            host: host, port: self.port, timeout: .milliseconds(100))
        {
            clients.append(client)
        }
    }
}
