import Foundation
import TestSupport
import Testing

@testable import ServiceKit

@Suite struct JSONTests {
    @Test func `Keys are in order, and the line ends with a newline`() {
        let json: JSON = ["b": ["d": "1", "c": "2"], "a": "3"]
        #expect(
            String(decoding: json.line, as: UTF8.self) == #"{"a":"3","b":{"c":"2","d":"1"}}"# + "\n"
        )
    }

    @Test func `Only what JSON requires is escaped`() {
        let json: JSON = .string("/é\u{2028}😀\u{7f}\"\\\n\r\t\u{0}\u{1f}")
        let expected = "\"/é\u{2028}😀\u{7f}\\\"\\\\\\n\\r\\t\\u0000\\u001f\"\n"
        #expect(String(decoding: json.line, as: UTF8.self) == expected)
    }

    @Test func `A decoder reads back whatever was written`() throws {
        for _ in 0..<500 {
            let text = String.random()
            let line = Data(JSON.object([(text, .string(text))]).line)
            #expect(try JSONDecoder().decode([String: String].self, from: line) == [text: text])
            #expect(line.dropLast().allSatisfy { $0 >= 0x20 })
        }
    }
}
