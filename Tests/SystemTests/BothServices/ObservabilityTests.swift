import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import ServiceB

extension SystemTests {
    @Suite struct ObservabilityTests {
        @Test func `A request id and a trace id are in both logs and in the answer`() throws {
            let a = try ServiceProcess("service-a")
            let b = try serviceB(calling: a.port)
            let trace = "0af7651916cd43dd8448eb211c80319c"
            let reply = try get(
                "/call-echo?msg=x", port: b.port,
                fields: [
                    "X-Request-Id: follow.me_1", "traceparent: 00-\(trace)-b7ad6b7169203331-01",
                ])
            #expect(reply["X-Request-Id"] == "follow.me_1")
            #expect(reply["traceparent"]?.hasPrefix("00-\(trace)-") == true)
            #expect(reply["traceparent"]?.contains("b7ad6b7169203331") == false)
            for service in [a, b] {
                #expect(eventually { service.requests("follow.me_1").count == 1 })
                #expect(service.requests("follow.me_1")[0].contains("trace_id=\(trace)"))
            }
        }

        @Test func `Ids that are missing or not valid are made, and followed all the same`() throws
        {
            let a = try ServiceProcess("service-a")
            let b = try serviceB(calling: a.port)
            for fields in [[], ["X-Request-Id: a=b", "traceparent: 00-0-0-0"]] {
                let reply = try get("/call-echo", port: b.port, fields: fields)
                let id = try #require(reply["X-Request-Id"])
                let trace = try #require(
                    reply["traceparent"]?.wholeMatch(
                        of: /00-([0-9a-f]{32})-[0-9a-f]{16}-01/)?.1)
                for service in [a, b] {
                    #expect(eventually { service.requests(id).count == 1 })
                    #expect(service.requests(id)[0].contains("trace_id=\(trace)"))
                }
            }
        }

        @Test func `Service A is sent the trace with a new parent id and the state as it is`()
            throws
        {
            let heard = Mutex("")
            let peer = try Peer { peer in
                let request = peer.request()
                heard.withLock { $0 = request }
                peer.respond(#"{"echo":"x"}"#)
            }
            let b = try serviceB(calling: peer.port)
            let trace = "00-0af7651916cd43dd8448eb211c80319c-"
            let reply = try get(
                "/call-echo?msg=x", port: b.port,
                fields: [
                    "traceparent: \(trace)b7ad6b7169203331-00", "tracestate: rojo=00f0,a=b c",
                ])
            let sent = heard.withLock { $0 }.split(separator: "\r\n").map { $0.lowercased() }
            let given = try #require(reply["traceparent"])
            #expect(given.hasPrefix(trace) && given.hasSuffix("-00"))
            #expect(sent.contains("traceparent: \(given)"))
            #expect(sent.contains("tracestate: rojo=00f0,a=b c"))
        }

        @Test func `Server-Timing says how long Service A took, and the whole`() throws {
            let a = try ServiceProcess("service-a")
            let b = try serviceB(calling: a.port)
            let timing = try #require(try get("/call-echo", port: b.port)["Server-Timing"])
            let parts = try #require(
                timing.wholeMatch(of: /upstream;dur=(\d+\.\d{3}), total;dur=(\d+\.\d{3})/))
            #expect(try #require(Double(parts.1)) <= #require(Double(parts.2)))
        }

        @Test func `Metrics count every request and every call by its outcome`() throws {
            let a = try ServiceProcess("service-a")
            let b = try serviceB(calling: a.port)
            for _ in 0..<3 { _ = try get("/call-echo", port: b.port) }
            _ = try get("/nope", port: b.port)
            a.signal(SIGKILL)
            _ = a.exitCode()
            _ = try get("/call-echo", port: b.port)
            let expected = [
                #"http_requests_total{code="200",method="GET",route="/call-echo"} 3"#,
                #"http_requests_total{code="503",method="GET",route="/call-echo"} 1"#,
                #"http_requests_total{code="404",method="GET",route="unmatched"} 1"#,
                #"http_request_duration_seconds_count{method="GET",route="/call-echo"} 4"#,
                #"upstream_requests_total{reason="ok"} 3"#,
                #"upstream_requests_total{reason="refused"} 1"#,
                #"upstream_requests_total{reason="timeout"} 0"#,
                "upstream_request_duration_seconds_count 4", "upstream_requests_in_flight 0.0",
                // This one.
                "http_requests_in_flight 1.0", "http_connections 1.0",
            ]
            // A request is counted when its response is gone, which the client may see first.
            var lines: [Substring] = []
            _ = try eventually {
                lines = try get("/metrics", port: b.port).body.split(separator: "\n")
                return expected.allSatisfy { lines.contains(Substring($0)) }
            }
            for line in expected { #expect(lines.contains(Substring(line)), "\(line)") }
            for name in ["start_time_seconds", "resident_memory_bytes", "open_fds", "threads"] {
                let line = lines.first { $0.hasPrefix("process_\(name) ") }
                let value = try #require(line?.split(separator: " ").last)
                #expect(try #require(Double(value)) > 0)
            }
        }

        @Test(arguments: CallFailure.Reason.allCases.map(\.rawValue))
        func `The word for a failure is the same in the body, the log and the metrics`(
            reason: String
        ) throws {
            let peer = try Peer { peer in
                _ = peer.request()
                switch reason {
                case "timeout", "overloaded": peer.waitForClose()
                case "bad_status": peer.respond("{}", status: "500 Internal Server Error")
                case "bad_answer": peer.respond("{}")
                default: break  // Its connection is closed: a reset.
                }
            }
            let hosts = ["unreachable": "224.0.0.1", "dns": "no-such-host.invalid"]
            let b = try serviceB(
                calling: reason == "refused" ? 1 : peer.port, host: hosts[reason] ?? "127.0.0.1",
                ["--timeout", reason == "timeout" ? "300ms" : "5s", "--max-calls", "1"])
            let other = try HTTPClient(port: b.port)
            if reason == "overloaded" {
                try other.request("/call-echo")
                #expect(eventually { peer.connections.value == 1 })
            }
            let reply = try get("/call-echo", port: b.port, fields: ["X-Request-Id: this"])
            #expect(reply.reason == reason)
            #expect(eventually { b.requests("this").count == 1 })
            #expect(b.requests("this").first?.contains(" reason=\(reason) ") == true)
            let metrics = try get("/metrics", port: b.port).body
            #expect(metrics.contains("upstream_requests_total{reason=\"\(reason)\"} 1\n"))
        }

        @Test func `No request can add a series to the metrics`() throws {
            let service = try ServiceProcess("service-a")
            func names() throws -> Set<Substring> {
                let lines = try get("/metrics", port: service.port).body.split(separator: "\n")
                return Set(lines.compactMap { $0.split(separator: " ").first })
            }
            let methods = ["PURGE", "M-SEARCH", "get", "X"]
            _ = try methods.map { try get("/no", port: service.port, method: $0) }
            _ = try get("/no", port: service.port)
            // A request is counted when its response is gone, which the client may see first.
            #expect(
                try eventually { try names().contains { $0.contains(#"route="/metrics""#) } })
            let before = try names()
            for number in 0..<100 {
                let method = "M\(number)"
                _ = try get("/path\(number)?a\(number)=b", port: service.port, method: method)
                _ = try get("/%22\(number)", port: service.port)
            }
            #expect(try names() == before)
        }

        @Test func `A client that leaves before its answer is a line with status 499`() throws {
            let gate = Gate()
            let peer = try lateServiceA(gate, answering: "x")
            let b = try serviceB(calling: peer.port)
            do {
                let client = try HTTPClient(port: b.port)
                try client.request("/call-echo?msg=x", fields: ["X-Request-Id: left"])
                #expect(eventually { peer.connections.value == 1 })
                // A reset: the answer to a connection that was only closed could still be sent.
                try client.reset()
            }
            gate.open()
            #expect(eventually { b.requests("left").count == 1 })
            let line = b.requests("left")[0]
            #expect(line.contains(" status=499 ") && line.contains(" ending=clientLeft "))
            #expect(line.contains("info service-b request"))
        }

        @Test func `A request that libmicrohttpd itself refuses is a line with its status`() throws
        {
            let service = try ServiceProcess("service-a")
            let client = try HTTPClient(port: service.port)
            try client.send("GET /echo HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\n")
            #expect(
                eventually {
                    service.lines.contains {
                        $0.contains("info service-a request endpoint=unmatched")
                            && $0.contains(" method=UNKNOWN ") && $0.contains(" status=400 ")
                    }
                })
        }

        @Test(arguments: ["text", "json"])
        func `Start, readiness, draining and stop each have a line with the facts`(
            format: String
        ) throws {
            let service = try ServiceProcess("service-a", ["--log-format", format])
            let idle = try HTTPClient(port: service.port)
            try idle.request("/health")
            _ = try idle.response()
            service.signal(SIGTERM)
            #expect(service.exitCode() == 0)
            let events = [
                ("listening", ["port", "host", "connection_limit"]),
                ("not ready any more", ["signal"]),
                ("shutting down", ["connections", "requests_in_flight", "drain_delay"]),
                ("draining", ["connections", "requests_in_flight"]),
                ("stopped", ["requests_cut_off"]),
            ]
            var lines = service.lines[...]
            for (event, fields) in events {
                let line = try #require(lines.first { $0.contains(event) })
                lines = lines.drop { $0 != line }.dropFirst()
                for field in fields {
                    #expect(line.contains(format == "text" ? " \(field)=" : ",\"\(field)\":"))
                }
            }
        }

        @Test
        func `Random bytes in every part of a request leave one line that says what was sent`()
            throws
        {
            let service = try ServiceProcess("service-a", ["--log-format", "json"])
            var random = SystemRandomNumberGenerator()
            func noise() -> [UInt8] {
                (0..<Int.random(in: 0..<24, using: &random)).map { _ in
                    UInt8.random(in: 1 ... .max, using: &random)
                }.filter { !"\r\n ?#".utf8.contains($0) }
            }
            var sent: [String: String] = [:]
            for number in 0..<300 {
                let message = String.random()
                let escaped = message.utf8.percentEscaped
                let id = "random-\(number)"
                sent[id] = String(message.unicodeScalars.prefix(64))
                let client = try HTTPClient(port: service.port)
                try client.send(
                    Array("GET /".utf8) + noise() + Array("?msg=\(escaped) HTTP/1.1\r\n".utf8)
                        + Array("Host: x\r\nX-Noise: ".utf8) + noise()
                        + Array("\r\ntraceparent: ".utf8) + noise()
                        + Array("\r\nX-Request-Id: \(id)\r\nConnection: close\r\n\r\n".utf8))
                _ = try client.response()
            }
            service.signal(SIGTERM)
            #expect(service.exitCode() == 0)
            var told: [String: String] = [:]
            for line in service.lines {
                let object = try #require(
                    try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
                guard object["event"] as? String == "request" else { continue }
                guard let id = object["request_id"] as? String, sent[id] != nil else {
                    continue
                }
                #expect(object["endpoint"] as? String == "unmatched")
                #expect(told.updateValue(object["msg"] as? String ?? "", forKey: id) == nil)
            }
            for (id, message) in told { #expect(message == sent[id]) }
            #expect(told.count > 100)
        }
    }
}
