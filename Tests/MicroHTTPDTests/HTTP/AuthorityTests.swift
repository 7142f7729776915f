import Testing

@testable import MicroHTTPD

@Suite struct AuthorityTests {
    @Test(arguments: [
        ("test", true, false), ("test:80", true, true), ("test:", true, false), ("", false, false),
        (":80", false, true), ("127.0.0.1:80", true, true), ("[::1]", true, false),
        ("[::1]:80", true, true), ("[::ffff:127.0.0.1]", true, false), ("a.b.", true, false),
        ("a_b", true, false), ("%74est:80", true, true), ("!$&'()*+,;=", true, false),
    ])
    func `An authority is a host and a port, each of which may be missing`(
        text: String, hasHost: Bool, hasPort: Bool
    ) throws {
        let authority = try #require(Authority(Array(text.utf8)[...]))
        #expect(authority.hasHost == hasHost)
        #expect(authority.hasPort == hasPort)
    }

    @Test(arguments: [
        "a b", "a/b", "user@test", "a\u{e9}", "a:b:c", "a:80:80", "test:8x", "test:-1", "%zz", "%4",
        "%", "a%4", "::1", "[::1", "[]", "[zz]", "[::1]x", "[::1]:x", "[::1]:80:80", "a[::1]", "]",
        "[v1.x]", "\"a\"", "a#b", "a?b", "a\\b", "\0",
    ])
    func `Anything else is no authority`(text: String) {
        #expect(Authority(Array(text.utf8)[...]) == nil)
    }
}
