import HTTPTypes
import Testing

@testable import MicroHTTPD

@Suite struct RequestHeadTests {
    @Test(arguments: [
        ("/", "/", ""), ("/a/b", "/a/b", ""), ("/a?", "/a", ""), ("/a?b?c", "/a", "b?c"),
        ("/a%20b?c%20d", "/a%20b", "c%20d"), ("http://test/a?b", "/a", "b"),
        ("HTTPS://test:80/a", "/a", ""), ("http://test", "/", ""), ("http://test?b", "/", "b"),
        ("http://[::1]:80/a", "/a", ""), ("//a", "//a", ""),
        ("/http://test/a", "/http://test/a", ""),
        ("/é?é", "/é", "é"),
    ])
    func `A target has a path and a query, with or without a URL's authority`(
        text: String, path: String, query: String
    ) {
        let target = RequestTarget(sent: text)
        #expect(target.path == path)
        #expect(target.query.bytes == Array(query.utf8))
        #expect(target.size == text.utf8.count)
        #expect(target.isValid)
    }

    @Test(arguments: [
        "", "a", "*", "?a", "test:443", "http:///a", "http:/a", "http://user@test/a",
        "http://a:b:c/a", "ftp://test/a", "http://te st/a", "/a#b", "/a?b#c", "/a b", "/a?b c",
        "/\u{1}", "/a?\u{1f}", "/\u{7f}", "/a?\u{7f}", "/\0",
    ])
    func `Any other target is not valid`(text: String) {
        #expect(!RequestTarget(sent: text).isValid)
    }

    @Test(arguments: [
        (HTTPRequest.Method.options, "*", true), (.options, "*?", false), (.options, "*?a", false),
        (.options, "/a", true), (.options, "**", false), (.head, "*", false),
        (.connect, "test:443", true), (.connect, "[::1]:443", true), (.connect, "test", false),
        (.connect, "test:", false), (.connect, ":443", false), (.connect, "/a", false),
        (.connect, "test:443?", false), (.connect, "a:b:443", false), (.get, "test:443", false),
    ])
    func `OPTIONS may ask about the server, and CONNECT names another one`(
        method: HTTPRequest.Method, text: String, isValid: Bool
    ) {
        #expect(RequestTarget(sent: text, of: method).isValid == isValid)
    }
}
