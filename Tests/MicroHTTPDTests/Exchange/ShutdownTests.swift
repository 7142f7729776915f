import Foundation
import HTTPTypes
import InMemoryLogging
import Logging
import Synchronization
import TestSupport
import Testing

@testable import MicroHTTPD

// One at a time: each brings a load of its own.
@Suite(.serialized) struct ShutdownTests {
    @Test func `A request in flight at shutdown is answered in full, with Connection close`()
        async throws
    {
        let gate = Gate()
        try await serving(testRouter(gate)) { (port, shutDown) throws in
            let client = try HTTPClient(port: port)
            try client.request("/much-later")
            #expect(eventually { gate.arrivals == 1 })
            shutDown()
            #expect(eventually { (try? HTTPClient(port: port, timeout: .milliseconds(50))) == nil })
            gate.open()
            let reply = try #require(try client.response())
            #expect(reply.body == much)
            #expect(reply["Connection"] == "close")
            #expect(try client.isClosed())
        }
    }

    /// Requests to be sent in one piece.
    private func requests(_ count: Int) -> String {
        (0..<count).map { "GET /now?n=\($0) HTTP/1.1\r\nHost: test\r\n\r\n" }.joined()
    }

    /// Expects the answers to them, in order, and that the last one alone says close.
    private func expectAll(
        _ count: Int, from client: HTTPClient, location: SourceLocation = #_sourceLocation
    ) throws {
        var replies: [HTTPReply] = []
        while let reply = try client.response() { replies.append(reply) }
        #expect(replies.map(\.body) == (0..<count).map { "\($0)" }, sourceLocation: location)
        #expect(
            replies.firstIndex { $0["Connection"] == "close" } == count - 1,
            sourceLocation: location)
    }

    @Test func `A client that asks ahead and reads late loses no answer at shutdown`() async throws
    {
        let gate = Gate()
        let answered = SharedCount()
        try await serving(testRouter(gate), log: { if $0.ending == .answered { answered.add() } }) {
            (port, shutDown) throws in
            let client = try HTTPClient(port: port)
            try client.request("/much-later")
            #expect(eventually { gate.arrivals == 1 })
            try client.send(requests(1000))
            shutDown()
            #expect(eventually { (try? HTTPClient(port: port, timeout: .milliseconds(50))) == nil })
            gate.open()
            #expect(try client.response()?.body == much)
            try expectAll(1000, from: client)
            #expect(eventually { answered.value == 1001 })
        }
    }

    @Test func `Requests that arrive together while a server drains are all answered`() async throws
    {
        try await serving(testRouter(), drainDelay: .seconds(2)) { (port, shutDown) throws in
            let client = try HTTPClient(port: port)
            shutDown()
            #expect(try eventually { try get("/now", port: port)["Connection"] == "close" })
            try client.send(requests(10))
            try expectAll(10, from: client)
        }
    }

    @Test func `A connection ends with the first response while a server drains`() async throws {
        try await serving(testRouter(), drainDelay: .seconds(2)) { (port, shutDown) throws in
            let client = try HTTPClient(port: port)
            func ask() throws -> HTTPReply? {
                // Empty lines before a request are ignored (RFC 9112 §2.2); since 1.0, only one.
                let empty = String(repeating: "\r\n", count: isBefore1 ? 40 : 1)
                try client.send(empty + requests(1))
                return try client.response()
            }
            for _ in 0..<20 { #expect(try ask()?["Connection"] == nil) }
            shutDown()
            #expect(try eventually { try get("/now", port: port)["Connection"] == "close" })
            #expect(try ask()?["Connection"] == "close")
        }
    }

    @Test func `An idle connection is closed at shutdown`() async throws {
        try await serving(testRouter()) { (port, shutDown) throws in
            let client = try HTTPClient(port: port)
            try client.request("/now")
            #expect(try client.response()?.body == "now")
            let start = ContinuousClock.now
            shutDown()
            #expect(try client.isClosed())
            #expect(ContinuousClock.now - start < .seconds(3))  // The shutdown timeout is 5 s.
        }
    }

    @Test func `Who waits for a connection at shutdown is served when there is one`() async throws {
        try await serving(testRouter(), connectionLimit: 1) { (port, shutDown) throws in
            let first = try HTTPClient(port: port)
            try first.request("/now")
            #expect(try first.response()?.body == "now")
            let start = ContinuousClock.now
            let second = try HTTPClient(port: port)
            try second.request("/now")
            shutDown()
            #expect(try second.response()?.body == "now")
            // Only the end of the idle first connection makes room for it: long before the server
            // would close that by itself, and after the time that a request can be under way.
            let time = ContinuousClock.now - start
            #expect(time > .milliseconds(190) && time < .seconds(4))
        }
    }

    @Test func `Connections that are used one after the other at shutdown are all served`()
        async throws
    {
        try await serving(testRouter()) { (port, shutDown) throws in
            let clients = try (0..<6).map { _ in try HTTPClient(port: port) }
            for client in clients {
                try client.request("/now")
                #expect(try client.response()?.body == "now")
            }
            shutDown()
            for client in clients {
                try client.request("/now")
                #expect(try client.response()?.body == "now")
                usleep(100_000)  // The pace of the requests, half of what counts as quiet.
            }
        }
    }

    @Test func `A handler that the shutdown timeout cuts off is cancelled`() async throws {
        let begun = Gate()
        let cancelled = Gate()
        var router = plainRouter()
        router.get("/sleep") { _ in
            begun.open()
            defer { if Task.isCancelled { cancelled.open() } }
            try await Task.sleep(for: .seconds(60))
            return Response()
        }
        try await serving(router, shutdownTimeout: .milliseconds(100)) { (port, shutDown) throws in
            let client = try HTTPClient(port: port)
            try client.request("/sleep")
            #expect(eventually { begun.isOpen })
            shutDown()
            #expect(try client.response() == nil)
            #expect(eventually { cancelled.isOpen })
        }
    }

    @Test func `No handler waits any more once handlers are abandoned`() throws {
        let server = try Server(.init(), router: plainRouter(), logger: Logger(label: "test"))
        let record = server.connections.insert(0, server)
        let waiting = HandlerTask { Response() }
        record.enter(.handler(waiting))
        #expect(server.connections.handlersMayWait)
        server.connections.abandonHandlers()
        #expect(waiting.abandon(), "It had been cut off.")
        #expect(!server.connections.handlersMayWait)
        server.connections.remove(record)
    }

    @Test func `A handler that may not wait any more ends without an answer`() async throws {
        var router = plainRouter()
        router.get("/sleep") { _ in
            try await Task.sleep(for: .seconds(60))
            return Response()
        }
        let server = try Server(.init(), router: router, logger: Logger(label: "test"))
        let running = Task { try await server.run() }
        server.connections.abandonHandlers()
        try await onThread { () throws in
            let client = try HTTPClient(port: server.port)
            try client.request("/sleep")
            #expect(try client.response() == nil)
        }
        running.cancel()
        try await running.value
    }

    @Test func `During the drain delay requests are still accepted`() async throws {
        try await serving(testRouter(), drainDelay: .seconds(2)) { (port, shutDown) throws in
            shutDown()
            #expect(try eventually { try get("/now", port: port)["Connection"] == "close" })
            #expect(try get("/now", port: port).status == 200)
        }
    }

    @Test func `What the shutdown timeout cuts off ends without an answer`() async throws {
        let gate = Gate()
        let records = Mutex<[AccessRecord]>([])
        try await serving(
            testRouter(gate), shutdownTimeout: .milliseconds(300),
            log: { record in records.withLock { $0.append(record) } }
        ) { (port, shutDown) throws in
            let clients = try (0..<20).map { _ in try HTTPClient(port: port) }
            for client in clients { try client.request("/gate") }
            #expect(eventually { gate.arrivals == 20 })
            shutDown()
            for client in clients { #expect(try client.response() == nil) }
        }
        #expect(records.withLock { $0.count } == 20)
        #expect(records.withLock { $0.allSatisfy { $0.response == nil && $0.ending == .cutOff } })
        // Its handlers end when the server is long gone.
        gate.open()
    }

    @Test func `The shutdown timeout counts who waits for a connection, too`() async throws {
        let gate = Gate()
        let log = InMemoryLogHandler()
        try await serving(
            testRouter(gate), shutdownTimeout: .milliseconds(300), connectionLimit: 1,
            logger: Logger(label: "test") { _ in log }
        ) { (port, shutDown) throws in
            let clients = try (0..<3).map { _ in try HTTPClient(port: port) }
            for client in clients { try client.request("/gate") }
            #expect(eventually { gate.arrivals == 1 })
            shutDown()
            #expect(try clients[0].response() == nil)
        }
        let cutOff = log.entries.filter { $0.message == "requests cut off" }
        #expect(cutOff.map { $0.metadata["count"]?.description } == ["3"])
        gate.open()
    }

    @Test(arguments: 0..<5)
    func `A shutdown under load loses no request that was accepted`(round: Int) async throws {
        let answered = SharedCount()
        let lost = SharedCount()
        try await serving(testRouter()) { (port, shutDown) throws in
            let clients = (0..<8).map { number in
                inBackground {
                    let path = number.isMultiple(of: 2) ? "/now" : "/yield"
                    while let client = try? HTTPClient(port: port) {
                        do {
                            try client.request(path)
                            if try client.response()?.status == 200 {
                                answered.add()
                            } else {
                                lost.add()
                            }
                        } catch {
                            lost.add()
                        }
                    }
                }
            }
            #expect(eventually { answered.value > 100 + 50 * round })
            shutDown()
            for client in clients { #expect(eventually { client.isOpen }) }
        }
        #expect(lost.value == 0)
    }

    @Test(arguments: 0..<20)
    func `A server that stops in the middle of load answers in full or not at all`(
        milliseconds: Int
    ) async throws {
        _ = try await stopInTheMiddle(
            shutdownTimeout: .milliseconds(milliseconds), threads: 1 + milliseconds % 2)
    }
}

/// Stops a server in the middle of load, of which some is held, some is cut and some never whole.
///
/// - Returns: how many requests were answered.
func stopInTheMiddle(shutdownTimeout: Duration, threads: Int = 1) async throws -> Int {
    let gate = Gate()
    let full = ["now", "yield", "gate"]
    return try await serving(testRouter(gate), shutdownTimeout: shutdownTimeout) {
        (port, shutDown) throws in
        var answered = 0
        let clients = try (0..<60).map { _ in try HTTPClient(port: port) }
        for (n, client) in clients.enumerated() {
            do {
                try client.request(
                    "/\(full[n % 3])", fields: ["Content-Length: \(n % 5)"])
                if n % 10 == 9 { try client.reset() }
                // A tenth has no whole content.
                if n % 10 != 4 { try client.send(String(repeating: "x", count: n % 5)) }
            } catch let error as SocketError where n > 40 || n % 10 == 9 {
                // The server is gone already, and this request was never its.
                let gone = ["Connection reset by peer", "Broken pipe"].map(SocketError.init)
                #expect(gone.contains(error))
            }
            if n == 40 { shutDown() }
            if n == 50 { gate.open() }
        }
        for (n, client) in clients.enumerated() where n % 10 != 9 {
            do {
                if let reply = try client.response() {
                    #expect(reply.body == full[n % 3])
                    answered += 1
                }
            } catch let error as SocketError {
                #expect(error == SocketError("Connection reset by peer"))
            }
        }
        return answered
    }
}
