import MicroHTTPD

/// Asks a service that runs on this machine whether it is alive, for images without curl.
enum HealthCheck {
    /// Whether `/health` is answered with 200.
    static func passes(host: String, port: UInt16) -> Bool {
        do {
            // Linux takes 0.0.0.0 and :: for this machine.
            let socket = try Socket(connectingTo: host, port: port, timeout: .seconds(1))
            try socket.send(
                "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8)
            let expected = Array("HTTP/1.1 200 ".utf8)
            var answer: [UInt8] = []
            while answer.count < expected.count {
                let bytes = try socket.receive()
                if bytes.isEmpty { return false }
                answer += bytes
            }
            return answer.starts(with: expected)
        } catch {
            return false
        }
    }
}
