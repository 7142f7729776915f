import Foundation
import Glibc
import TestSupport
import Testing

extension SystemTests {
    @Suite struct PageTests {
        @Test func `Service B serves a page that may run its own script and ask nobody else`()
            throws
        {
            let b = try ServiceProcess("service-b", ["--timeout", "250ms"])
            let page = try get("/", port: b.port)
            #expect(page.status == 200)
            #expect(page["Content-Type"] == "text/html; charset=utf-8")
            #expect(page["Cache-Control"] == "no-store")
            #expect(page["X-Content-Type-Options"] == "nosniff")
            #expect(page.body.utf8.count <= 20 * 1024)
            #expect(page.body.contains(#"data-deadline="250.000""#))
            let style = try #require(page.body.firstMatch(of: /<style>([^<]*)<\/style>/)?.1)
            let script = try #require(
                page.body.firstMatch(of: /<script type="module">((?s:.*?))<\/script>/)?.1)
            let policy = """
                default-src 'none'; connect-src 'self'; img-src data:; \
                style-src 'sha256-\(try sha256(style))'; \
                script-src 'sha256-\(try sha256(script))'; \
                base-uri 'none'; form-action 'none'; frame-ancestors 'none'
                """
            #expect(page["Content-Security-Policy"] == policy)
            // The name of SVG is the only URL.
            let urls = page.body.matches(of: /\w+:\/\/[^']*/).map { String($0.output) }
            #expect(urls == ["http://www.w3.org/2000/svg"])
            #expect(page.body.matches(of: /(src|href|action)=/).count == 1)
            let head = try get("/", port: b.port, method: "HEAD")
            #expect(head.status == 200)
            #expect(head["Content-Length"] == "\(page.body.utf8.count)")
            #expect(head["Content-Security-Policy"] == page["Content-Security-Policy"])
        }

        @Test func `The page has a line for every reason of a failure`() throws {
            let b = try ServiceProcess("service-b")
            let page = try get("/", port: b.port).body
            let lines = page.matches(of: /<li id="(\w+)"[^>]*><b>\1<\/b>/).map(\.1)
            let metrics = try get("/metrics", port: b.port).body
            let reasons = metrics.matches(of: /upstream_requests_total{reason="(\w+)"}/).map(
                \.1)
            #expect(lines.sorted() == reasons.sorted())
            #expect(lines.count == 9)
        }

        @Test func `The page is logged at debug, and the log says where it is`() throws {
            let b = try ServiceProcess("service-b", ["--log-level", "debug"])
            let id = try #require(try get("/", port: b.port)["X-Request-Id"])
            #expect(eventually { b.requests(id).first?.contains(" debug ") == true })
            #expect(b.lines.contains { $0.contains(" page=http://127.0.0.1:\(b.port)/ ") })
        }
    }
}

/// The SHA-256 of a text in base64, as the system's own tools have it.
private func sha256(_ text: Substring) throws -> String {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try Data(text.utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    guard let pipe = unsafe popen("sha256sum \(file.path)", "r") else { return "" }
    defer { unsafe pclose(pipe) }
    var line = [CChar](repeating: 0, count: 80)
    _ = unsafe fgets(&line, 80, pipe)
    let hexadecimal = line.prefix(64).map { Character(UnicodeScalar(UInt8($0))) }
    let bytes = stride(from: 0, to: 64, by: 2).compactMap {
        UInt8(String(hexadecimal[$0...$0 + 1]), radix: 16)
    }
    return Data(bytes).base64EncodedString()
}
