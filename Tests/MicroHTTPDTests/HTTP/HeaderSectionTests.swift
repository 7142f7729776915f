import HTTPTypes
import Testing

@testable import MicroHTTPD

@Suite struct HeaderSectionTests {
    @Test(arguments: [
        "X:1", "x:", "X:a\tb", "X:\u{e9}", "!#$%&'*+-.^_`|~0:1", "X: 1 ", "X:a:b",
        "Content-Length:1",
    ])
    func `A name is a token, and a value has no control character`(line: String) {
        #expect(HeaderSection(lines: [line]).isValid)
    }

    @Test(arguments: [
        ":1", "X :1", " X:1", "X@Y:1", "X\u{1}:1", "X\u{e9}:1", "(X):1", "X\u{7f}:1", "X:a\u{1}b",
        "X:a\u{7f}b", "X:a\rb", "X:a\nb", "X:\0", "X:\u{1f}",
    ])
    func `One field with another name or value makes the whole section not valid`(line: String) {
        #expect(!HeaderSection(lines: [line]).isValid)
        #expect(!HeaderSection(lines: ["Host:test", line, "A:b"]).isValid)
    }

    @Test(
        arguments: [
            ("host", ["test"]), ("cookie", ["a", "b"]), ("x-empty", [""]), ("x-none", []),
            ("hos", []),
            ("hostt", []), ("test", []),
        ] as [(String, [String])])
    func `A field is found by its name in any case`(name: String, values: [String]) {
        let section = HeaderSection(
            lines: ["Host:test", "COOKIE:a", "X-Empty:", "cookie:b", "Ho\u{17f}t:other"])
        #expect(section.values(name).map { String(decoding: $0, as: UTF8.self) } == values)
    }

    @Test func `Blanks behind a value are no part of it`() {
        let section = HeaderSection(lines: ["X:a b \t ", "X:  "])
        #expect(section.values("x").map { String(decoding: $0, as: UTF8.self) } == ["a b", ""])
    }

    @Test(arguments: [0, 1, 5])
    func `The size is that of the lines as they were sent`(blanks: Int) {
        let lines = ["Host:test", "X:", "A:b"]
        let sent = lines.map { line in
            line.replacing(":", with: ":" + String(repeating: " ", count: blanks)) + "\r\n"
        }
        let section = HeaderSection(lines: lines, blanks: blanks)
        #expect(section.size == sent.joined().utf8.count)
        #expect(section.count == 3)
    }

    @Test func `Fields of any length are kept apart`() {
        let long = String(repeating: "x", count: 60_000)
        let section = HeaderSection(lines: ["\(long):1", "A:\(long)", "B:2"])
        #expect(section.values("a") == [Array(long.utf8)[...]])
        #expect(section.values("b") == [Array("2".utf8)[...]])
    }

    @Test func `Fields are given on in order, but for those whose name is no token`() {
        let section = HeaderSection(lines: ["A:1", "B B:2", "a:3"])
        #expect(section.fields[values: HTTPField.Name("a")!] == ["1", "3"])  // "a" is a token.
        #expect(section.fields.count == 2)
    }
}
