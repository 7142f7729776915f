import HTTPTypes
import MicroHTTPD
import TestSupport

/// A router without routes that answers in plain text.
func plainRouter() -> Router {
    Router { error in
        Response(
            status: error.status, headerFields: error.headerFields, body: Array(error.details.utf8))
    }
}

/// Routes with handlers of every kind, which answer with their name or with parameter `n`.
func testRouter(_ gate: Gate = Gate()) -> Router {
    var router = plainRouter()
    @Sendable func answer(_ request: Request, or name: String) -> Response {
        Response(body: Array((request.query["n"] ?? name).utf8))
    }
    router.get("/now") { answer($0, or: "now") }
    router.get("/much") { _ in Response(body: Array(much.utf8)) }
    router.get("/yield") { request in
        await Task.yield()
        return answer(request, or: "yield")
    }
    router.get("/wait") { request in
        try await Task.sleep(for: .milliseconds(20))
        return answer(request, or: "wait")
    }
    router.get("/gate") { request in
        await gate.pass()
        return answer(request, or: "gate")
    }
    router.get("/much-later") { _ in
        await gate.pass()
        return Response(body: Array(much.utf8))
    }
    return router
}

/// More than any socket's buffer.
let much = String(repeating: "0123456789", count: 1_000_000)

/// Routes that count: `/framed` is what is asked for, `/smuggled` what follows it.
func framedRouter(_ framed: SharedCount = SharedCount(), _ smuggled: SharedCount = SharedCount())
    -> Router
{
    var router = Router { error in
        let text = "refused: \(error.status.reasonPhrase). \(error.details)"
        return Response(status: error.status, body: Array(text.utf8))
    }
    for (path, counter) in [("/framed", framed), ("/smuggled", smuggled)] {
        router.get(path) { _ in
            counter.add()
            return Response(body: Array(path.utf8))
        }
    }
    router.get("/waiting") { _ in
        await Task.yield()
        framed.add()
        return Response(body: Array("/waiting".utf8))
    }
    return router
}
