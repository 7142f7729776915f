import Foundation
import MicroHTTPD
import Synchronization
import TestSupport
import Testing

@Suite struct HandlerThreadTests {
    /// The thread that runs this; a function of its own, as `async` code may not ask.
    private static func current() -> pthread_t { pthread_self() }

    // Fails where Exchange has `Task` in the place of `Task.immediate`.
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
}
