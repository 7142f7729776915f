import Testing

@testable import MicroHTTPD

@Suite struct ASCIITests {
    @Test func `A set has its own characters, and no other byte`() {
        let set = ASCIISet("\0/09@AZ`az\u{7f}")
        let members = (UInt8.min...(.max)).filter(set.contains)
        #expect(members == Array("\0/09@AZ`az\u{7f}".utf8))
    }

    @Test func `Each set of the protocol has as many characters as its grammar`() {
        let bytes = UInt8.min...(.max)
        let alphanumeric = 10 + 26 + 26
        #expect(bytes.count(where: ASCIISet.token.contains) == alphanumeric + 15)
        #expect(bytes.count(where: ASCIISet.hostName.contains) == alphanumeric + 15)
        #expect(bytes.count(where: ASCIISet.id.contains) == alphanumeric + 3)
    }

    @Test(arguments: [
        ("0", 0), ("9", 9), ("a", 10), ("f", 15), ("A", 10), ("F", 15), ("/", nil), (":", nil),
        ("@", nil), ("G", nil), ("`", nil), ("g", nil), ("\u{10}", nil),
    ])
    func `A hexadecimal digit has a value, and no other byte`(text: String, value: UInt8?) {
        #expect(text.utf8.first?.hexValue == value)
    }

    @Test(
        arguments: [
            ("chunked", "chunked", true), ("CHUNKED", "chunked", true),
            ("Chunked", "chunked", true),
            ("chunke", "chunked", false), ("chunkedd", "chunked", false), ("", "chunked", false),
            ("chun\u{212a}ed", "chunked", false), ("CHUN\u{b}ED", "chunked", false), ("", "", true),
            ("A-B", "a-b", true), ("a\rb", "a-b", false), ("x@", "x`", false), ("x[", "x{", false),
        ] as [(String, String, Bool)])
    func `Text is equal but for the case of ASCII letters`(
        text: String, other: String, isEqual: Bool
    ) {
        let isEqualHere = text.utf8.span.equalsIgnoringCase(other.utf8.span)
        #expect(isEqualHere == isEqual)
    }
}
