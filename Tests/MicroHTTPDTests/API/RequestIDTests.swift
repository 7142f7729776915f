import MicroHTTPD
import TestSupport
import Testing

@Suite struct RequestIDTests {
    @Test(arguments: ["abc", "A.b_c-9", String(repeating: "x", count: 128)])
    func `A valid X-Request-Id is answered with itself`(id: String) async throws {
        try await serving(testRouter()) { (port, _) throws in
            let reply = try get("/now", port: port, fields: ["X-Request-Id: \(id)"])
            #expect(reply["X-Request-Id"] == id)
        }
    }

    @Test(arguments: ["", "a b", "a\"b", "é", "a=b", String(repeating: "x", count: 129)])
    func `Any other X-Request-Id is replaced`(id: String) async throws {
        try await serving(testRouter()) { (port, _) throws in
            let reply = try get("/now", port: port, fields: ["X-Request-Id: \(id)"])
            let given = try #require(reply["X-Request-Id"])
            #expect(given != id)
            #expect(given.utf8.allSatisfy { $0 != UInt8(ascii: " ") } && !given.isEmpty)
        }
    }

    @Test func `No two requests get the same id`() async throws {
        try await serving(testRouter()) { (port, _) throws in
            let ids = try (0..<100).map { _ in try get("/now", port: port)["X-Request-Id"] }
            #expect(Set(ids).count == 100)
        }
    }
}
