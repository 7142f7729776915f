import TestSupport
import Testing

extension SystemTests {
    @Suite struct DescriptionTests {
        @Test func `Each service describes itself, and every path that it names answers`() throws {
            let a = try ServiceProcess("service-a")
            for (service, count) in [(a, 5), (try serviceB(calling: a.port), 6)] {
                let reply = try get("/openapi.yaml", port: service.port)
                #expect(reply.status == 200)
                #expect(reply["Content-Type"] == "application/yaml")
                #expect(reply["Cache-Control"] == "no-store")
                #expect(reply["X-Content-Type-Options"] == "nosniff")
                let paths = reply.body.matches(of: /\n {2}(\/[^:]*):/).map { String($0.1) }
                #expect(paths.count == count)
                for path in paths {
                    #expect(try get(path, port: service.port).status == 200)
                }
            }
        }

        @Test(arguments: ["service-a", "service-b"])
        func `A description has the version of the build that serves it`(name: String) throws {
            let build = try ServiceProcess(name, ["--version"], address: [])
            #expect(build.exitCode() == 0)
            let version = try #require(build.lines.first?.split(separator: " ").first)
            let service = try ServiceProcess(name)
            let description = try get("/openapi.yaml", port: service.port).body
            #expect(description.contains("\n  version: \(version)\n"))
        }
    }
}
