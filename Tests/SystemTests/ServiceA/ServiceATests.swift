import TestSupport
import Testing

extension SystemTests {
    @Suite struct ServiceATests {
        @Test(arguments: [
            ("/echo?msg=HelloDistributed", #"{"echo":"HelloDistributed"}"#),
            ("/echo", #"{"echo":"no message"}"#),
            ("/echo?msg=", #"{"echo":""}"#),
            ("/echo?msg", #"{"echo":""}"#),
            ("/echo?msg=%22%5C/%C3%A9%00%0A", #"{"echo":"\"\\/é\u0000\n"}"#),
            ("/health", #"{"status":"ok"}"#),
            ("/ready", #"{"status":"ready"}"#),
        ])
        func `Service A answers with one line of JSON`(target: String, body: String) throws {
            let service = try ServiceProcess("service-a")
            let reply = try get(target, port: service.port)
            #expect(reply.status == 200)
            #expect(reply.body == body + "\n")
            #expect(reply["Content-Type"] == "application/json")
            #expect(reply["Cache-Control"] == "no-store")
            #expect(reply["X-Content-Type-Options"] == "nosniff")
        }

        @Test(arguments: [
            ("GET", "/nope", 404, "Not Found"), ("POST", "/echo", 405, "Method Not Allowed"),
            ("GET", "/echo?msg=%zz", 400, "Bad Request"),
            ("GET", "/health?%ff", 400, "Bad Request"),
        ])
        func `Every error has a body of details and error`(
            method: String, target: String, status: Int, phrase: String
        ) throws {
            for name in ["service-a", "service-b"] {
                let service = try ServiceProcess(name)
                let path =
                    name == "service-b" ? target.replacing("/echo", with: "/call-echo") : target
                let reply = try get(path, port: service.port, method: method)
                #expect(reply.status == status)
                let end = #"","error":"\#(phrase)"}"# + "\n"
                #expect(reply.body.hasPrefix(#"{"details":""#) && reply.body.hasSuffix(end))
                #expect(reply["Content-Type"] == "application/json")
                #expect(reply["Allow"] == (status == 405 ? "GET, HEAD" : nil))
            }
        }

        @Test(arguments: [
            ("/\(String(repeating: "x", count: 8192))", "", 414, "URI Too Long"),
            (
                "/echo", "X: \(String(repeating: "x", count: 8192))\r\n", 431,
                "Request Header Fields Too Large"
            ),
            ("/echo", "Content-Length: 65537\r\n", 413, "Content Too Large"),
            ("/echo", "Host: other\r\n", 400, "Bad Request"),
        ])
        func `A request that is refused before its path is looked at has such a body as well`(
            target: String, fields: String, status: Int, phrase: String
        ) throws {
            for name in ["service-a", "service-b"] {
                let service = try ServiceProcess(name)
                let client = try HTTPClient(port: service.port)
                try client.send("GET \(target) HTTP/1.1\r\nHost: test\r\n\(fields)\r\n")
                try client.send(String(repeating: "x", count: status == 413 ? 65_537 : 0))
                let reply = try #require(try client.response())
                #expect(reply.status == status)
                #expect(reply.body.hasPrefix(#"{"details":""#))
                #expect(reply.body.hasSuffix(#"","error":"\#(phrase)"}"# + "\n"))
                #expect(reply["Connection"] == "close")
            }
        }

        @Test func `No message can forge a line of the log`() throws {
            let service = try ServiceProcess("service-a")
            let target = "/echo?msg=x%0A2026-01-01T00:00:00.000Z%20error%20forged%20status=500"
            _ = try get(target, port: service.port, fields: ["X-Request-Id: forger"])
            #expect(eventually { service.requests("forger").count == 1 })
            #expect(!service.lines.contains { $0.contains("forged") && !$0.contains("forger") })
            let line = try #require(service.requests("forger").first)
            #expect(
                line.contains(
                    #" msg="x\u000a2026-01-01T00:00:00.000Z error forged status=500""#))
            #expect(line.contains(" request_id=forger status=200 trace_id="))
        }

        @Test func `A message is cut at 64 characters in the log`() throws {
            let service = try ServiceProcess("service-a")
            let message = String(repeating: "m", count: 65)
            let accents = "e" + String(repeating: "%CC%81", count: 200)
            _ = try get("/echo?msg=\(accents)", port: service.port)
            #expect(try get("/echo?msg=\(message)", port: service.port).body.contains(message))
            #expect(
                eventually {
                    service.lines.contains { $0.contains(" msg=\(message.dropLast()) ") }
                }
            )
            #expect(!service.lines.contains { $0.contains(message) || $0.utf8.count > 350 })
        }

        @Test func `The log is one JSON object a line where that is asked for`() throws {
            let service = try ServiceProcess("service-a", ["--log-format", "json"])
            _ = try get("/echo?msg=%22", port: service.port, fields: ["X-Request-Id: j"])
            let expected =
                /\{"time":"[^"]+","level":"info","service":"service-a","event":"request","endpoint":"\/echo","latency_ms":\d+\.\d{3},"method":"GET","msg":"\\"","request_id":"j","status":200,"trace_id":"[0-9a-f]{32}"\}/
            #expect(
                eventually {
                    service.lines.contains { (try? expected.wholeMatch(in: $0)) != nil }
                })
        }

        @Test func `Probes are logged at debug only`() throws {
            let service = try ServiceProcess("service-a")
            let talkative = try ServiceProcess("service-a", ["--log-level", "debug"])
            for service in [service, talkative] {
                for target in ["/health", "/ready", "/metrics", "/echo?msg=last"] {
                    _ = try get(target, port: service.port)
                }
                #expect(eventually { service.lines.contains { $0.contains("msg=last") } })
            }
            #expect(!service.lines.contains { $0.contains(/\/(health|ready|metrics)/) })
            #expect(
                talkative.lines.contains {
                    $0.contains(" debug service-a request endpoint=/health")
                })
        }
    }
}
