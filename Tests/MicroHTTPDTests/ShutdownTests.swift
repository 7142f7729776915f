import Foundation
import MicroHTTPD
import Synchronization
import TestSupport
import Testing

private func router(_ gate: Gate) -> Router {
    var router = plainRouter()
    router.get("/now") { _ in Response(body: Array("now".utf8)) }
    router.get("/yield") { _ in
        await Task.yield()
        return Response(body: Array("yielded".utf8))
    }
    router.get("/gate") { _ in
        await gate.pass()
        return Response(body: [UInt8](repeating: UInt8(ascii: "x"), count: 3_000_000))
    }
    return router
}

// One at a time: each brings a load of its own.
@Suite(.serialized) struct ShutdownTests {
    @Test func `A request in flight at shutdown is answered in full, with Connection close`()
        async throws
    {
        let gate = Gate()
        try await serving(router(gate)) { (port, shutDown) throws in
            let client = try HTTPClient(port: port)
            try client.request("/gate")
            #expect(eventually { gate.arrivals == 1 })
            shutDown()
            #expect(eventually { (try? HTTPClient(port: port, timeout: .milliseconds(50))) == nil })
            gate.open()
            let reply = try #require(try client.response())
            #expect(reply.body.utf8.count == 3_000_000)
            #expect(reply["Connection"] == "close")
            #expect(try client.isClosed())
        }
    }

    @Test func `An idle connection is closed at shutdown`() async throws {
        try await serving(router(Gate())) { (port, shutDown) throws in
            let client = try HTTPClient(port: port)
            try client.request("/now")
            #expect(try client.response()?.body == "now")
            shutDown()
            #expect(try client.isClosed())
        }
    }

    @Test func `During the drain delay requests are still accepted`() async throws {
        try await serving(router(Gate()), drainDelay: .seconds(2)) { (port, shutDown) throws in
            shutDown()
            #expect(try eventually { try get("/now", port: port)["Connection"] == "close" })
            #expect(try get("/now", port: port).status == 200)
        }
    }

    @Test func `What the shutdown timeout cuts off ends without an answer`() async throws {
        let gate = Gate()
        let records = Mutex<[AccessRecord]>([])
        try await serving(
            router(gate), shutdownTimeout: .milliseconds(300),
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

    @Test(arguments: 0..<5)
    func `A shutdown under load loses no request that was accepted`(round: Int) async throws {
        let answered = Counter()
        let lost = Counter()
        try await serving(router(Gate())) { (port, shutDown) throws in
            let clients = (0..<8).map { number in
                let isDone = Gate()
                Thread.detachNewThread {
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
                    isDone.open()
                }
                return isDone
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
        let gate = Gate()
        var router = router(gate)
        router.get("/held") { _ in
            await gate.pass()
            return Response(body: Array("held".utf8))
        }
        let full = ["now", "yielded", "held"]
        try await serving(router, shutdownTimeout: .milliseconds(milliseconds)) {
            (port, shutDown) throws in
            let clients = try (0..<60).map { _ in try HTTPClient(port: port) }
            for (n, client) in clients.enumerated() {
                try client.request(["/now", "/yield", "/held"][n % 3])
                if n == 40 { shutDown() }
                if n == 50 { gate.open() }
            }
            for (n, client) in clients.enumerated() {
                do {
                    if let reply = try client.response() { #expect(reply.body == full[n % 3]) }
                } catch let error as SocketError {
                    #expect(error == SocketError("Connection reset by peer"))
                }
            }
        }
    }
}
