import Foundation
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

extension String {
    /// Up to 20 characters, among them all those that are special to somebody.
    static func random() -> String {
        let special = "\"\\\n\r\t\0\u{1b}\u{7f}\u{85}\u{2028}\u{202e}\u{feff}= {}[],:'%é😀"
        var text = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0...20) {
            let any = Unicode.Scalar(UInt32.random(in: 0...0x10FFFF))
            if let scalar = Bool.random() ? special.unicodeScalars.randomElement() : any {
                text.append(scalar)
            }
        }
        return String(text)
    }
}
