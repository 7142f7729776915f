import Glibc
import TestSupport
import Testing

// Dispatch ends a process that can open no file any more (its monitor of threads reads /proc), so
// that a service must not let it come to that.
extension SystemTests {
    @Suite(.enabled(if: !isSanitized, "ThreadSanitizer itself needs more descriptors"))
    struct DescriptorTests {
        @Test(arguments: ["service-a", "service-b"])
        func `A service with few descriptors has clients wait, and does nothing meanwhile`(
            name: String
        ) throws {
            let service = try ServiceProcess(name, descriptors: 64)
            var clients = try (0..<100).map { _ in try HTTPClient(port: service.port) }
            for client in clients.prefix(10) {
                try client.request("/health")
                #expect(try client.response()?.status == 200)
            }
            let before = try service.processorTime()
            usleep(1_500_000)  // How long it is watched.
            #expect(try service.processorTime() - before < .milliseconds(150))
            // The first ones make room for the last ones.
            clients.removeFirst(90)
            for client in clients {
                try client.request("/health")
                #expect(try client.response()?.status == 200)
            }
            service.signal(SIGTERM)
            #expect(service.exitCode() == 0)
        }

        @Test(arguments: ["service-a", "service-b"], [8, 12, 20, 63])
        func `A service with fewer descriptors than it needs ends with 1 and says how many`(
            name: String, limit: Int
        ) throws {
            let service = try ServiceProcess(name, descriptors: limit)
            #expect(service.exitCode() == 1)
            let line = "needs a limit of at least 64 file descriptors, not \(limit)\n"
            #expect(service.errorText == "\(name): \(line)")
            #expect(service.lines.isEmpty)
        }

        @Test func `Service B with the fewest descriptors answers 40 calls at once, over and over`()
            throws
        {
            let a = try ServiceProcess("service-a", descriptors: 64)
            let resolver = try TestResolver()
            try resolver.resolve(to: "127.0.0.1")
            for host in ["127.0.0.1", "service-a.test"] {
                let b = try ServiceProcess(
                    "service-b", ["--service-a-url", "http://\(host):\(a.port)"],
                    environment: resolver.environment, descriptors: 64)
                for _ in 0..<5 {
                    let clients = try (0..<40).map { _ in try HTTPClient(port: b.port) }
                    for client in clients {
                        try client.request("/call-echo?msg=x", fields: ["Connection: close"])
                    }
                    for client in clients {
                        let reply = try #require(try client.response())
                        #expect(reply.status == 200 || reply.reason == "overloaded")
                    }
                }
                #expect(try get("/call-echo?msg=x", port: b.port).body == success("x"))
                b.signal(SIGTERM)
                #expect(b.exitCode() == 0)
            }
        }

        @Test(arguments: ["20ms", "200ms"])
        func `A name server that hangs does not take the last descriptor`(timeout: String) throws {
            let resolver = try TestResolver()
            try resolver.resolve(to: "hang")
            let b = try ServiceProcess(
                "service-b",
                ["--service-a-url", "http://service-a.test:8080", "--timeout", timeout],
                environment: resolver.environment, descriptors: 64)
            for _ in 0..<40 {
                let clients = try (0..<40).map { _ in try HTTPClient(port: b.port) }
                for client in clients {
                    try client.request("/call-echo?msg=x", fields: ["Connection: close"])
                }
                for client in clients {
                    let reason = try client.response()?.reason
                    #expect(["timeout", "overloaded"].contains(reason))
                }
                #expect(try get("/health", port: b.port).status == 200)
            }
            b.signal(SIGTERM)
            #expect(b.exitCode() == 0)
        }

        @Test func `A service with few descriptors never uses the last one, whatever is called`()
            throws
        {
            let isHealthy = Gate()
            let peer = try Peer { peer in
                while case let request = peer.request(), !request.isEmpty {
                    if !isHealthy.isOpen { return peer.waitForClose() }
                    peer.respond("{\"echo\":\"x\"}")
                }
            }
            let b = try ServiceProcess(
                "service-b",
                ["--service-a-url", "http://127.0.0.1:\(peer.port)", "--timeout", "1500ms"],
                descriptors: 64)
            let clients = try (0..<100).map { _ in try HTTPClient(port: b.port) }
            for client in clients {
                try client.request("/call-echo?msg=x", fields: ["Connection: close"])
            }
            let reasons = try clients.map { try $0.response()?.reason ?? "none" }
            #expect(Set(reasons).isSubset(of: ["timeout", "overloaded"]))
            isHealthy.open()
            #expect(
                try eventually {
                    try get("/call-echo?msg=x", port: b.port).body == success("x")
                })
            b.signal(SIGTERM)
            #expect(b.exitCode() == 0)
        }
    }
}
