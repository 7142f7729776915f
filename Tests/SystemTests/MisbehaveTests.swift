import Foundation
import MicroHTTPD
import Misbehaviours
import TestSupport
import Testing

extension SystemTests {
    @Suite struct MisbehaveTests {
        @Test func `misbehave lists the whole catalogue`() throws {
            let list = try misbehave("list")
            #expect(list.exitCode() == 0)
            let names = list.lines.filter { $0.hasPrefix("  ") }.compactMap {
                $0.split(separator: " ").first.map(String.init)
            }
            #expect(names == Misbehaviour.all.map(\.name))
        }

        /// A client that is a shell command, what it meets, and the verdict on it.
        private static let verdicts = [
            ("curl -sf -m 1 $0", "plain", "answered", 0),
            ("curl -sf -m 1 $0", "is-silent", "failed in time", 0),
            ("curl -sf -m 1 $0", "other-message", "wrong: took it for an answer", 1),
            ("curl -sf -m 9 $0", "is-silent", "late", 1),
            ("curl -sf $0 || kill -SEGV $$", "closes-after-request", "crashed", 1),
            ("(curl -sf $0) || sh -c 'kill -SEGV $$'", "closes-after-request", "crashed", 1),
            (
                "curl -sf $0 || head -c 200000000 /dev/zero | tail -c 150000000 | cmp -s - x",
                "closes-after-request", "grew", 1
            ),
            (
                "[ `curl -s $0 -w '%{num_headers}'` = '{\"echo\":\"a\"}2' ]",
                "sends-by-the-byte", "refused a valid answer", 0
            ),
        ]

        @Test(arguments: verdicts)
        func `misbehave try has a verdict for what a command does`(
            client: String, name: String, verdict: String, code: Int
        ) throws {
            let trial = try misbehave(
                "try", "--timeout", "1s", "--only", name, "--", "sh", "-c", client,
                "{url}/echo?msg=a")
            #expect(Int(trial.exitCode()) == code)
            #expect(trial.lines.first?.hasSuffix(" \(verdict)") == true, "\(trial.lines)")
            #expect(trial.lines.last == "1 tried: 1 \(verdict)")
        }

        @Test func `misbehave try judges a service by what it answers`() throws {
            let port = try Listener(host: "127.0.0.1", port: 0).port
            let b = try serviceB(calling: port, ["--timeout", "500ms"])
            let trial = try misbehave(
                "try", "--timeout", "500ms", "--json", "--only", "plain,not-found,is-silent",
                "--port", "\(port)", "--pid", "\(b.pid)", "--service",
                "http://127.0.0.1:\(b.port)/call-echo?msg=Hello")
            #expect(trial.exitCode() == 0, "\(trial.errorText)")
            struct Line: Decodable {
                let name, end, verdict: String
            }
            let json = Data(trial.lines.joined().utf8)
            let lines = try JSONDecoder().decode([Line].self, from: json)
            #expect(lines.map(\.end) == ["200", "503 `bad_status`", "503 `timeout`"])
            #expect(lines.map(\.verdict) == ["answered", "failed in time", "failed in time"])
        }

        @Test func `misbehave try notices that a service has crashed`() throws {
            let port = try Listener(host: "127.0.0.1", port: 0).port
            // A service that ends with its first failure.
            let service = try Peer { client in
                _ = client.request()
                if let a = try? HTTPClient(port: port), (try? a.request("/echo?msg=a")) != nil,
                    let reply = try? a.response(), reply.status == 200
                {
                    client.respond(reply.body)
                }
            }
            let trial = try misbehave(
                "try", "--only", "not-found,plain", "--port", "\(port)", "--service",
                "http://127.0.0.1:\(service.port)/?msg=a")
            #expect(trial.exitCode() == 1)
            #expect(trial.lines.last == "1 tried: 1 crashed")
        }

        @Test func `misbehave serve echoes, changes over, and logs each connection`() throws {
            let server = try misbehave(
                "serve", "not-found", "--then", "plain", "--after", "2", "--port", "0")
            let replies = try (0..<4).map { _ in
                try get("/echo?msg=%22a+b%22", port: server.port)
            }
            #expect(replies.map(\.status) == [404, 404, 200, 200])
            #expect(replies.last?.body == #"{"echo":"\"a b\""}"#)
            let lines = (1...4).map { "connection \($0): \($0 < 3 ? "not-found" : "plain"), " }
            #expect(
                eventually {
                    lines.allSatisfy { line in server.lines.contains { $0.hasPrefix(line) } }
                })
            server.signal(SIGTERM)
            #expect(server.exitCode() == 0)
        }

        @Test(arguments: [
            ["serve", "nonsense"], ["serve"], ["serve", "plain", "--mixed"],
            ["serve", "plain", "--port", "x"], ["try"], ["try", "--", "./nonsense"],
            ["try", "--", "false"], ["try", "--timeout", "5", "--", "true"],
            ["try", "--only", "nonsense", "--", "true"], ["try", "--service", "ftp://x"],
            ["nonsense"],
        ])
        func `misbehave ends with 64 and one line for what it cannot use`(
            _ arguments: [String]
        ) throws {
            let process = try ServiceProcess("misbehave", arguments, address: [])
            #expect(process.exitCode() == 64)
            #expect(process.errorText.split(separator: "\n").count == 1)
            #expect(process.errorText.hasPrefix("misbehave: "))
            #expect(process.lines.isEmpty)
        }

        @Test func `FAILURES.md has a line for each misbehaviour, with Service B's word`() throws {
            let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .appendingPathComponent("../../FAILURES.md")
            let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
            for one in Misbehaviour.all where !one.isKnownIssue {
                let word = one.reason.map { "503 `\($0)`" } ?? "200"
                let start = "| `\(one.name)` | \(one.summary) | \(one.expectation), \(one.section) "
                #expect(lines.contains { $0.hasPrefix("\(start)| \(word) | ") }, "\(start)")
            }
        }

        private func misbehave(_ arguments: String...) throws -> ServiceProcess {
            try ServiceProcess("misbehave", arguments, address: [])
        }
    }
}
