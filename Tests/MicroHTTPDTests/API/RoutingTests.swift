import HTTPTypes
import MicroHTTPD
import Synchronization
import Testing
import TestSupport

/// The text of a parameter, with what distinguishes none from an empty one.
private func router(showing parameter: String = "msg") -> Router {
    var router = plainRouter()
    router.get("/show") { request in
        let value = request.query[parameter].map { "[\($0)]" } ?? "none"
        return Response(body: Array(value.utf8))
    }
    return router
}

@Suite struct RoutingTests {
    @Test(arguments: [
        ("/show?msg=Hello", "[Hello]"),
        ("/show?msg=a+b%20c", "[a b c]"),
        ("/show?msg=a%2Bb", "[a+b]"),
        ("/show?msg=%C3%A9", "[é]"),
        ("/show?msg=é", "[é]"),
        ("/show?msg=a=b", "[a=b]"),
        ("/show?msg=1;msg=2", "[1;msg=2]"),
        ("/show?msg=first&msg=second", "[first]"),
        ("/show?msg=", "[]"),
        ("/show?msg", "[]"),
        ("/show?m%73g=escaped", "[escaped]"),
        ("/show?&&msg=x&&", "[x]"),
        ("/show?MSG=upper", "none"),
        ("/show?other=1", "none"),
        ("/show?=v", "none"),
        ("/show?", "none"),
        ("/show", "none"),
        ("/show?msg=a?b", "[a?b]"),
    ])
    func `A query is decoded as forms are`(target: String, expected: String) async throws {
        try await serving(router()) { (port, _) throws in
            #expect(try get(target, port: port).body == expected)
        }
    }

    @Test func `%00 is a legal character`() async throws {
        try await serving(router()) { (port, _) throws in
            #expect(try get("/show?msg=a%00b", port: port).body == "[a\0b]")
        }
    }

    @Test(arguments: [
        "%zz", "%4", "%", "%C3", "%ff", "%C3%28", "%ED%A0%80", "a%2", "%0g", "%0G", "%0@", "%0`",
        "%/0", "%:0",
    ])
    func `A query that cannot be decoded is answered with 400`(text: String) async throws {
        try await serving(router()) { (port, _) throws in
            #expect(try get("/show?msg=\(text)", port: port).status == 400)
            #expect(try get("/show?\(text)=1", port: port).status == 400)
            #expect(try get("/show?msg=fine&other=\(text)", port: port).status == 400)
        }
    }

    @Test func `A query in bytes that are not UTF-8 is answered with 400`() async throws {
        try await serving(router()) { (port, _) throws in
            let client = try HTTPClient(port: port)
            let query = Array("/show?msg=".utf8) + [0xc3, 0x28]
            try client.send(
                Array("GET ".utf8) + query + Array(" HTTP/1.1\r\nHost: test\r\n\r\n".utf8))
            #expect(try client.response()?.status == 400)
        }
    }

    @Test(arguments: [
        ("POST", "/nope?%zz", 404), ("POST", "/show?%zz", 405), ("GET", "/nope?%zz", 404),
        ("GET", "/show?%zz", 400),
    ])
    func `Of what is wrong with a request, the path comes first, the method next`(
        method: String, target: String, status: Int
    ) async throws {
        try await serving(router()) { (port, _) throws in
            #expect(try get(target, port: port, method: method).status == status)
        }
    }

    @Test func `A query of 1,000 parameters is answered`() async throws {
        try await serving(router()) { (port, _) throws in
            let target = "/show?" + String(repeating: "&", count: 1000) + "msg=found"
            #expect(try get(target, port: port).body == "[found]")
        }
    }

    @Test(arguments: ["/nope", "/", "/show/", "/Show", "//show", "/show%00", "/show%zz"])
    func `A path that no route has is answered with 404`(path: String) async throws {
        try await serving(router()) { (port, _) throws in
            #expect(try get(path, port: port).status == 404)
        }
    }

    @Test func `OPTIONS for the server and CONNECT are told what there is`() async throws {
        var router = plainRouter()
        router.get("/now") { _ in Response() }
        try await serving(router) { (port, _) throws in
            let client = try HTTPClient(port: port)
            try client.request("*", method: "OPTIONS")
            let options = try #require(try client.response())
            #expect(options.status == 204 && options["Allow"] == "GET, HEAD")
            try client.request("test:443", method: "CONNECT")
            let refusal = try #require(try client.response())
            #expect(refusal.status == 405 && refusal["Allow"] == "GET, HEAD")
            #expect(refusal["Connection"] == "close")
            #expect(try client.isClosed())
        }
    }

    @Test(arguments: ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "get", "BREW"])
    func `A method that no route of the path has is answered with 405 and Allow`(
        method: String
    ) async throws {
        try await serving(router()) { (port, _) throws in
            let reply = try get("/show", port: port, method: method)
            #expect(reply.status == 405)
            #expect(reply["Allow"] == "GET, HEAD")
        }
    }

    @Test func `HEAD is answered as GET is but without the body`() async throws {
        try await serving(router()) { (port, _) throws in
            let whole = try get("/show?msg=Hello", port: port)
            let client = try HTTPClient(port: port)
            try client.request("/show?msg=Hello", method: "HEAD", fields: ["Connection: close"])
            let head = try #require(try client.response(toHead: true))
            #expect(head.status == 200)
            #expect(head["Content-Length"] == "7")
            #expect(Set(head.fieldNames).subtracting(["connection"]) == Set(whole.fieldNames))
            #expect(try client.isClosed())
        }
    }

    @Test func `What a handler throws is answered with 500 and kept from the client`() async throws
    {
        var router = plainRouter()
        struct Secret: Error {}
        router.get("/throws") { _ in throw Secret() }
        try await serving(router) { (port, _) throws in
            let reply = try get("/throws", port: port)
            #expect(reply.status == 500)
            #expect(!reply.body.contains("Secret"))
        }
    }

    @Test func `A handler can refuse a request`() async throws {
        var router = plainRouter()
        router.get("/refuses") { _ in
            throw HTTPError(.init(code: 418), details: "short and stout")
        }
        try await serving(router) { (port, _) throws in
            let reply = try get("/refuses", port: port)
            #expect(reply.status == 418)
            #expect(reply.body == "short and stout")
        }
    }
}
