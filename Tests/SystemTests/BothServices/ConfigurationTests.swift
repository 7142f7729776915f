import Foundation
import Glibc
import TestSupport
import Testing

extension SystemTests {
    @Suite struct ConfigurationTests {
        @Test(arguments: [
            (["--port", "65536"], "--port"), (["--port", "-1"], #""-1""#),
            (["--port", "http"], "--port"),
            (["--port="], "--port"),
            (["--log-level", "loud"], "--log-level"), (["--log-format", "xml"], "--log-format"),
            (["--drain-delay", "1"], "--drain-delay"), (["--host", ""], "--host"),
            (["--host", "a\u{1b}[1m"], #""a\u{1B}[1m""#), (["--host", "a b"], "--host"),
            (["--host", "[::1]"], "--host"), (["--host", "127.0.0.1:80"], "--host"),
            (["--shutdown-timeout", "-1s"], "--shutdown-timeout"),
            (["--timeout", "0s"], "--timeout"),
            (["--max-calls", "0"], "--max-calls"), (["--max-calls", "1.5"], "--max-calls"),
            (["--service-a-url", "https://localhost"], "--service-a-url"),
            (["--service-a-url", "localhost:8080"], "--service-a-url"),
            (["--service-a-url", "http://localhost:0"], "--service-a-url"),
            (["--service-a-url", "http://localhost:18446744073709551616"], "--service-a-url"),
            (["--service-a-url", "http://localhost/?x"], "--service-a-url"),
            (["--service-a-url", "http://*"], "--service-a-url"),
            (["--service-a-url", "http://user@localhost"], "--service-a-url"),
            (["--service-a-url", "http://"], "--service-a-url"),
            (["--service-a-url", "http://[zz]"], "--service-a-url"),
            (["--service-a-url", "http://[::1"], "--service-a-url"),
            (["--service-a-url", "http://[fe80::1%25]"], "--service-a-url"),
            (["--service-a-url", "http://a/%zz"], "--service-a-url"),
            (["--service-a-url", "http://a%zz"], "--service-a-url"),
            (["--service-a-url", "http://a%20b"], "--service-a-url"),
            (["--service-a-url", "http://a..b"], "--service-a-url"),
            (["--service-a-url", "http://" + letters(64)], "--service-a-url"),
            (["--service-a-url", "http://" + name(254)], "--service-a-url"),
            (["--service-a-url", "http://a/" + letters(8182)], "--service-a-url"),
            (["--nonsense"], "--nonsense"),
            (["extra"], "extra"), (["--port"], "--port"), (["--port", "x\ny"], #""x\ny""#),
        ])
        func `A flag that cannot be used ends the process with 64 and one line that names it`(
            arguments: [String], name: String
        ) throws {
            let service = try ServiceProcess("service-b", arguments, address: [])
            #expect(service.exitCode() == 64)
            #expect(service.errorText.hasPrefix("service-b: "))
            #expect(service.errorText.contains(name))
            #expect(service.errorText.split(separator: "\n").count == 1)
            #expect(service.lines.isEmpty)
        }

        @Test(arguments: [
            ("PORT", "-1"), ("HOST", ""), ("LOG_LEVEL", "INFO"), ("LOG_FORMAT", ""),
            ("DRAIN_DELAY", "soon"), ("SHUTDOWN_TIMEOUT", "5"), ("SERVICE_A_URL", "ftp://a"),
            ("SERVICE_A_TIMEOUT", "2"), ("SERVICE_A_MAX_CALLS", "many"),
        ])
        func `A variable that cannot be used ends the process with 64 and one line that names it`(
            name: String, value: String
        ) throws {
            let service = try ServiceProcess(
                "service-b", environment: [name: value], address: [])
            #expect(service.exitCode() == 64)
            #expect(service.errorText.hasPrefix("service-b: \(name) takes "))
            #expect(service.errorText.contains(value.debugDescription))
            #expect(service.errorText.split(separator: "\n").count == 1)
        }

        @Test func `A flag beats its environment variable`() throws {
            let service = try ServiceProcess(
                "service-a", ["--log-format", "text"],
                environment: [
                    "LOG_FORMAT": "json", "HOST": "no.such.host.invalid", "PORT": "1",
                ])
            #expect(try get("/health", port: service.port).status == 200)
            #expect(service.lines.first?.hasPrefix("{") == false)
        }

        @Test func `An environment variable beats the default`() throws {
            let service = try ServiceProcess(
                "service-a",
                environment: ["HOST": "127.0.0.1", "PORT": "0", "LOG_FORMAT": "json"],
                address: [])
            #expect(
                eventually { service.lines.first?.contains(#""event":"listening""#) == true })
            #expect(service.lines.first?.contains(#""host":"127.0.0.1""#) == true)
        }

        @Test(arguments: ["warning", "critical"])
        func `A free port that was taken is in the log at any level`(level: String) throws {
            let service = try ServiceProcess("service-b", ["--log-level", level])
            #expect(try get("/health", port: service.port).status == 200)
            service.signal(SIGTERM)
            #expect(service.exitCode() == 0)
            #expect(service.lines.count == 1)
        }

        @Test func `A port that is taken ends the process with 1 and one line that says so`() throws
        {
            let first = try ServiceProcess("service-a")
            let port = String(first.port)
            let second = try ServiceProcess(
                "service-a", address: ["--host", "127.0.0.1", "--port", port])
            #expect(second.exitCode() == 1)
            let line = "service-a: cannot listen on 127.0.0.1:\(port): Address already in use\n"
            #expect(second.errorText == line)
        }

        @Test func `A host that cannot be had ends the process with 1 and one line that says so`()
            throws
        {
            let service = try ServiceProcess(
                "service-a", address: ["--host", "192.0.2.1", "--port", "0"])
            #expect(service.exitCode() == 1)
            let line =
                "service-a: cannot listen on 192.0.2.1:0: Cannot assign requested address\n"
            #expect(service.errorText == line)
        }

        @Test func `--help lists every flag and its variable, whatever the environment says`()
            throws
        {
            let service = try ServiceProcess(
                "service-b", ["--help"], environment: ["PORT": "x"], address: [])
            #expect(service.exitCode() == 0)
            let help = service.lines.joined(separator: "\n")
            for name in [
                "--host", "HOST", "--port", "PORT", "--log-level", "LOG_LEVEL", "--log-format",
                "LOG_FORMAT", "--drain-delay", "DRAIN_DELAY", "--shutdown-timeout",
                "SHUTDOWN_TIMEOUT", "--service-a-url", "SERVICE_A_URL", "--timeout",
                "SERVICE_A_TIMEOUT", "--max-calls", "SERVICE_A_MAX_CALLS", "--healthcheck",
                "--version",
            ] {
                #expect(help.contains(name))
            }
        }

        @Test(arguments: ["service-a", "service-b"])
        func `Every option of --help is in the documentation, with the same variable and default`(
            name: String
        ) throws {
            var page = URL(fileURLWithPath: #filePath)
            for _ in 0..<4 { page.deleteLastPathComponent() }
            page.appendPathComponent("docs/operations.md")
            let text = try String(contentsOf: page, encoding: .utf8)
            let isB = name == "service-b"
            // Flag, variable, default and description; of two defaults the other is "B `8081`".
            let rows = text.matches(of: /\n\| `(--[^`]+)` \| `([^`]+)` \| ([^|]+) \| ([^|]+) \|/)
                .filter { isB || !$0.4.hasPrefix("B:") }
                .map { row in
                    let defaults = row.3.replacing("`", with: "").split(separator: ", B ")
                    return "\(row.1) <\(row.2)> \((isB ? defaults.last : defaults.first) ?? "")"
                }
            let service = try ServiceProcess(name, ["--help"], address: [])
            #expect(service.exitCode() == 0)
            let help = service.lines.flatMap { $0.split(separator: " ") }.joined(separator: " ")
            let options = help.matches(of: /(--[a-z-]+ <\w+>) [^<]*?\(default: ([^)]+)\)/)
                .map { "\($0.1) \($0.2)" }
            #expect(rows.sorted() == options.sorted())
            for flag in help.matches(of: /--[a-z-]+/) {
                #expect(text.contains("`\(flag.0)`"), "\(flag.0)")
            }
        }

        @Test func `--version says which build this is`() throws {
            let service = try ServiceProcess("service-a", ["--version"], address: [])
            #expect(service.exitCode() == 0)
            let version = /\d+\.\d+\.\d+ \((debug|release), libmicrohttpd \d+\.\d+\.\d+\)/
            #expect(try version.wholeMatch(in: try #require(service.lines.first)) != nil)
        }

        @Test
        func `--healthcheck tells a service that lives from one that does not, within a second`()
            throws
        {
            @Sendable func check(_ port: UInt16, _ host: String = "127.0.0.3") throws -> (
                code: Int32, time: Duration
            ) {
                let start = ContinuousClock.now
                let check = try ServiceProcess(
                    "service-b", ["--healthcheck"],
                    address: ["--host", host, "--port", String(port)])
                return (check.exitCode(), ContinuousClock.now - start)
            }
            // An address of its own, on which no other test takes the port when it is free.
            let service = try ServiceProcess(
                "service-a", address: ["--host", "127.0.0.3", "--port", "0"])
            #expect(try check(service.port).code == 0)
            try service.freeze()
            let frozen = try check(service.port)
            #expect(frozen.code == 1)
            #expect(frozen.time < .seconds(1 + 2))
            service.signal(SIGKILL)
            _ = service.exitCode()
            #expect(try check(service.port).code == 1)
            let unhealthy = try Peer { peer in
                _ = peer.request()
                peer.respond("", status: "503 Service Unavailable")
            }
            #expect(try check(unhealthy.port, "127.0.0.1").code == 1)
        }
    }
}

private func letters(_ count: Int) -> String { String(repeating: "a", count: count) }

/// A name of `count` letters and dots.
private func name(_ count: Int) -> String {
    String((0..<count).map { $0 % 64 == 63 ? "." : "a" })
}
