import Foundation
import Glibc
import Logging
import TestSupport
import Testing

@testable import ServiceKit

@Suite struct LogLineTests {
    private func line(_ format: LogFormat, _ message: String, _ metadata: Logger.Metadata) -> String
    {
        var timestamp = Timestamp()
        var bytes: [UInt8] = []
        let line = LogLine(
            format: format, level: .info, service: "test", event: message,
            fields: metadata.map(LogField.init).sorted { $0.name < $1.name })
        line.append(to: &bytes, timestamp: &timestamp, lost: 0)
        #expect(bytes.last == UInt8(ascii: "\n"))
        return String(decoding: bytes.dropLast(), as: UTF8.self)
    }

    @Test func `A line of text has its fields in order after time, level, service and event`() {
        let line = line(.text, "request", ["status": .stringConvertible(200), "endpoint": "/echo"])
        #expect(
            line.wholeMatch(
                of:
                    /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z info test request endpoint=\/echo status=200/
            ) != nil)
    }

    @Test func `A line of JSON has numbers as numbers`() throws {
        let line = line(
            .json, "request",
            [
                "status": .stringConvertible(200),
                "latency_ms": .stringConvertible(Duration.microseconds(1234)),
            ])
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(object["status"] as? Int == 200)
        #expect(object["latency_ms"] as? Double == 1.234)
        #expect(object["event"] as? String == "request")
    }

    @Test(arguments: [
        ("a b", "\"a b\""), ("a=b", "\"a=b\""), ("x status=500", "\"x status=500\""), ("", "\"\""),
        ("a\\b", "\"a\\\\b\""), ("/a-b_c.d~1:2@3", "/a-b_c.d~1:2@3"),
    ])
    func `Text that is more than one word is quoted`(text: String, written: String) {
        #expect(
            line(.text, "request", ["a": "\(text)"]).hasSuffix(" info test request a=\(written)"))
    }

    @Test func `No text can forge a line or a field, or reach the terminal`() throws {
        for _ in 0..<500 {
            let text = String.random()
            let plain = line(.text, "request", ["a": "\(text)", "z": "end"])
            let json = line(.json, "request", ["a": "\(text)", "z": "end"])
            for line in [plain, json] {
                #expect(
                    !line.unicodeScalars.contains { scalar in
                        [.control, .format, .lineSeparator, .paragraphSeparator].contains(
                            scalar.properties.generalCategory)
                    })
            }
            let object = try JSONDecoder().decode([String: String].self, from: Data(json.utf8))
            #expect(object["a"] == text)
            #expect(object["z"] == "end")
            // The value stands between "<24 characters of time> info test request a=" and " z=end".
            let value = String(
                decoding: plain.utf8.dropFirst(24 + 21).dropLast(6), as: UTF8.self)
            if value.utf8.first == UInt8(ascii: "\"") {
                #expect(try JSONDecoder().decode(String.self, from: Data(value.utf8)) == text)
            } else {
                #expect(value == text && !text.isEmpty)
            }
        }
    }

    @Test(arguments: [
        "\u{3164}", "\u{2800}", "\u{13441}", "\u{13442}", "\u{1d159}", "\u{115f}", "\u{1160}",
        "\u{ffa0}", "\u{a0}", "\u{2000}",
        "\u{200a}",
        "\u{202f}", "\u{205f}", "\u{3000}", "\u{180e}", "\u{fe0f}", "\u{e0100}", "\u{34f}",
        "\u{ad}",
        "\u{e000}", "\u{378}", "\u{301}", "\u{20dd}",
    ])
    func `A letter that shows as nothing is escaped`(letter: String) throws {
        let text = "\(letter)a\(letter == "\u{301}" || letter == "\u{20dd}" ? "" : letter)"
        for format in LogFormat.allCases {
            let line = line(format, "request", ["a": "\(text)"])
            #expect(line.unicodeScalars.allSatisfy { $0.isASCII })
            let value = line.split(separator: format == .text ? "a=" : "\"a\":").last ?? ""
            let quoted = value.prefix(through: value.lastIndex(of: "\"") ?? value.startIndex)
            #expect(try JSONDecoder().decode(String.self, from: Data(quoted.utf8)) == text)
        }
    }

    @Test(arguments: ["é", "e\u{301}", "漢字", "नमस्ते", "สวัสดี", "שָׁלוֹם", "مرحبا", "😀", "한국어"])
    func `A letter that shows is written as it is`(text: String) {
        #expect(line(.text, "request", ["a": "\(text)"]).hasSuffix(" a=\"\(text)\""))
    }

    @Test(arguments: LogFormat.allCases)
    func `No line is longer than a pipe takes at once, and it is cut where it can be read`(
        format: LogFormat
    ) throws {
        for text in ["\"", "x", "\u{e0001}", "é", "\u{0}"] {
            let long = String(repeating: text, count: 5000)
            var fields: Logger.Metadata = ["z": .stringConvertible(1)]
            for name in "abcdefghijklmnop" { fields["the_\(name)"] = "\(long)" }
            for event in ["request", long] {
                let line = line(format, event, fields)
                #expect(line.utf8.count < Int(PIPE_BUF))
                #expect(line.hasSuffix(format == .text ? "…\" z=1" : "…\",\"z\":1}"))
                guard format == .json else { continue }
                let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
                #expect((object as? [String: Any])?.count == 4 + fields.count)
            }
        }
    }

    @Test(arguments: [(0, "0.000"), (7, "0.007"), (1_000, "1.000"), (2_000_999, "2000.999")])
    func `Milliseconds have three decimals`(microseconds: Int, text: String) {
        #expect(Duration.microseconds(microseconds).textInMilliseconds == text)
    }
}
