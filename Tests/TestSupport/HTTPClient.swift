import Glibc
import MicroHTTPD

/// One connection of a client that sends just what it is told to.
package final class HTTPClient {
    private let socket: Socket
    private var buffer: [UInt8] = []

    /// Connects to a port of this machine.
    package init(
        host: String = "127.0.0.1", port: UInt16, timeout: Duration = .seconds(20)
    ) throws {
        socket = try Socket(connectingTo: host, port: port, timeout: timeout)
        // Or else a second send would wait until the kernel has acknowledged the first one.
        try set(TCP_NODELAY, at: CInt(IPPROTO_TCP), to: CInt(1))
    }

    /// Sends text as it is.
    package func send(_ text: String) throws {
        try socket.send(text.utf8)
    }

    /// Sends bytes as they are.
    package func send(_ bytes: [UInt8]) throws {
        try socket.send(bytes)
    }

    /// Sends a request for `target`.
    package func request(
        _ target: String, method: String = "GET", fields: [String] = []
    ) throws {
        let lines = ["\(method) \(target) HTTP/1.1", "Host: test"] + fields + ["", ""]
        try send(lines.joined(separator: "\r\n"))
    }

    /// The next response; nil if the server has closed the connection before one began.
    package func response(toHead: Bool = false) throws -> HTTPReply? {
        var end: Int?
        while true {
            end = buffer.firstRange(of: Array("\r\n\r\n".utf8))?.upperBound
            if end != nil { break }
            let bytes = try socket.receive()
            if bytes.isEmpty {
                if buffer.isEmpty { return nil }
                throw HTTPReply.Truncated()
            }
            buffer += bytes
        }
        var reply = HTTPReply(head: String(decoding: buffer[..<(end ?? 0)], as: UTF8.self))
        buffer.removeFirst(end ?? 0)
        let length = toHead ? 0 : Int(reply["Content-Length"] ?? "") ?? 0
        while buffer.count < length {
            let bytes = try socket.receive()
            if bytes.isEmpty { throw HTTPReply.Truncated() }
            buffer += bytes
        }
        reply.body = String(decoding: buffer.prefix(length), as: UTF8.self)
        buffer.removeFirst(length)
        return reply
    }

    /// Has the connection end with a reset instead of a close.
    package func reset() throws {
        PeerConnection(descriptor: socket.descriptor).reset()
    }

    /// All that comes until the server ends the connection, by closing or by resetting it, or until
    /// nothing has come for as long as `limit`.
    ///
    /// - Returns: what came, and whether it was the server that ended it.
    package func everything(within limit: Duration) throws -> (text: String, isEnded: Bool) {
        let (seconds, attoseconds) = limit.components
        let time = timeval(tv_sec: Int(seconds), tv_usec: Int(attoseconds / 1_000_000_000_000))
        try set(SO_RCVTIMEO, at: SOL_SOCKET, to: time)
        var isEnded = true
        do {
            while case let bytes = try socket.receive(), !bytes.isEmpty { buffer += bytes }
        } catch {
            // What came before a reset has been read.
            isEnded = error == SocketError("Connection reset by peer")
        }
        defer { buffer = [] }
        return (String(decoding: buffer, as: UTF8.self), isEnded)
    }

    /// Tells the server that nothing more will be sent; its answers can still come.
    package func endSending() throws {
        shutdown(socket.descriptor, CInt(SHUT_WR))
    }

    /// Has room for as little of the answers as the kernel grants.
    package func takeLittle() throws {
        try set(SO_RCVBUF, at: SOL_SOCKET, to: CInt(0))
    }

    /// Takes what has come of the answers, and drops it.
    package func takeSome() throws {
        _ = try socket.receive()
    }

    private func set(_ option: CInt, at level: CInt, to value: some BitwiseCopyable) throws {
        _ = unsafe withUnsafeBytes(of: value) {
            unsafe setsockopt(socket.descriptor, level, option, $0.baseAddress, socklen_t($0.count))
        }
    }

    /// Whether the server has closed the connection, or does so before the timeout.
    package func isClosed() throws -> Bool {
        try buffer.isEmpty && socket.receive().isEmpty
    }
}

/// A response as it came.
package struct HTTPReply: Sendable {
    /// The connection ended in the middle of a response.
    package struct Truncated: Error {}

    /// The status code.
    package let status: Int

    /// The content.
    package var body = ""

    private let fields: [(name: String, value: String)]

    init(head: String) {
        let lines = head.split(separator: "\r\n")
        status = lines.first.flatMap { Int($0.split(separator: " ").dropFirst().first ?? "") } ?? 0
        fields = lines.dropFirst().map { line in
            let colon = line.firstIndex(of: ":") ?? line.endIndex
            let value = line[colon...].dropFirst().drop { $0 == " " }
            return (line[..<colon].lowercased(), String(value))
        }
    }

    /// The value of a field.
    package subscript(name: String) -> String? {
        fields.first { $0.name == name.lowercased() }?.value
    }

    /// The names of all fields, in order.
    package var fieldNames: [String] { fields.map(\.name) }
}

/// The response to one request on a connection of its own.
package func get(
    _ target: String, port: UInt16, method: String = "GET", fields: [String] = []
) throws -> HTTPReply {
    let client = try HTTPClient(port: port)
    try client.request(target, method: method, fields: fields)
    guard let reply = try client.response(toHead: method == "HEAD") else {
        throw HTTPReply.Truncated()
    }
    return reply
}

/// The status codes in what a client has got: by bytes, since a million of them are looked for.
package func statuses(_ text: String) -> [Int] {
    var rest = Array(text.utf8)[...]
    var statuses: [Int] = []
    while let start = rest.firstIndex(of: UInt8(ascii: "H")) {
        rest = rest[start...]
        let line = rest.prefix(14)
        if line.starts(with: "HTTP/1.".utf8), line.count == 14 {
            let words = line.split(separator: UInt8(ascii: " "))
            if words.count == 3, words[0].count == 8,
                let code = Int(String(decoding: words[1], as: UTF8.self))
            {
                statuses.append(code)
            }
        }
        rest = rest.dropFirst()
    }
    return statuses
}
