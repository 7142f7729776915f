import TestSupport
import Testing

/// Service B, calling whatever listens on a port of this machine.
func serviceB(
    calling port: UInt16, host: String = "127.0.0.1", _ arguments: [String] = [],
    environment: [String: String] = [:]
) throws -> ServiceProcess {
    try ServiceProcess(
        "service-b", ["--service-a-url", "http://\(host):\(port)"] + arguments,
        environment: environment)
}

/// A Service A that echoes `message` to whatever it is asked, once `gate` is open.
func lateServiceA(_ gate: Gate, answering message: String) throws -> Peer {
    try Peer { peer in
        _ = peer.request()
        _ = eventually { gate.isOpen }
        peer.respond("{\"echo\":\"\(message)\"}")
    }
}

/// Whether Service B has the target that mends FoundationNetworking.
#if canImport(CFoundationNetworkingFixes)
    let hasFixes = true
#else
    let hasFixes = false
#endif

/// The body of a 200.
func success(_ message: String) -> String {
    #"{"service_a_response":{"echo":"\#(message)"},"#
        + #""service_b_message":"Service B called A successfully"}"# + "\n"
}

extension HTTPReply {
    /// The word for what went wrong, in the body of a 503.
    var reason: String? {
        body.firstMatch(of: #/^\{"details":"(\w+): /#).map { String($0.1) }
    }
}

/// Asks for `/call-echo` and expects a 503 with this reason.
func expectFailure(
    _ reason: String, port: UInt16, within limit: Duration = .seconds(1), _ comment: Comment? = nil,
    location: SourceLocation = #_sourceLocation
) throws {
    let start = ContinuousClock.now
    let reply = try get("/call-echo?msg=Hello", port: port)
    #expect(ContinuousClock.now - start < limit, sourceLocation: location)
    #expect(reply.status == 503, sourceLocation: location)
    #expect(reply.reason == reason, comment, sourceLocation: location)
    #expect(
        reply.body.hasSuffix(#"","error":"Service A is unavailable"}"# + "\n"),
        sourceLocation: location)
}
