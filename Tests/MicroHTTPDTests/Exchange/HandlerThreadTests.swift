import Foundation
import MicroHTTPD
import Synchronization
import TestSupport
import Testing

@Suite struct HandlerThreadTests {
    /// The thread that runs this; a function of its own, as `async` code may not ask.
    private static func current() -> pthread_t { pthread_self() }

    // Fails where HandlerTask has `Task` in the place of `Task.immediate`.
    @Test(arguments: ["/sync", "/async"])
    func `A handler that does not wait runs on libmicrohttpd's own thread`(path: String)
        async throws
    {
        let threads = Mutex<[pthread_t]>([])
        @Sendable func note() { threads.withLock { $0.append(Self.current()) } }
        var router = plainRouter()
        router.get("/sync") { _ in
            note()
            return Response()
        }
        @Sendable func answer() async -> Response {
            note()
            return Response()
        }
        router.get("/async") { _ in await answer() }
        // It is on that thread that `log` is called.
        try await serving(router, log: { _ in note() }) { (port, _) throws in
            #expect(try get(path, port: port).status == 200)
            #expect(eventually { threads.withLock { $0.count } == 2 })
        }
        let seen = threads.withLock { $0 }
        #expect(seen.first == seen.last)
    }

    // Fails where HandlerTask's task has no executor preference.
    @Test func `A handler that has waited goes on on libmicrohttpd's own thread`() async throws {
        let threads = Mutex<[pthread_t]>([])
        @Sendable func note() { threads.withLock { $0.append(Self.current()) } }
        var router = plainRouter()
        router.get("/later") { _ in
            for _ in 0..<3 {
                note()
                try await Task.sleep(for: .milliseconds(1))
            }
            await Task.yield()
            note()
            return Response()
        }
        try await serving(router, log: { _ in note() }) { (port, _) throws in
            #expect(try get("/later", port: port).status == 200)
            #expect(eventually { threads.withLock { $0.count } == 5 })
        }
        #expect(Set(threads.withLock { $0 }).count == 1)
    }

    @Test func `The parts of a handler that go on at once take turns`() async throws {
        var router = plainRouter()
        router.get("/group") { _ in
            let sum = await withTaskGroup(of: Int.self) { group in
                for number in 1...100 {
                    group.addTask {
                        try? await Task.sleep(for: .milliseconds(1))
                        return number
                    }
                }
                return await group.reduce(0, +)
            }
            return Response(body: Array("\(sum)".utf8))
        }
        try await serving(router) { (port, _) throws in
            for _ in 0..<10 { #expect(try get("/group", port: port).body == "5050") }
        }
    }
}
