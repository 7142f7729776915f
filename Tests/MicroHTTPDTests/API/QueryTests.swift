import Testing

@testable import MicroHTTPD

@Suite struct QueryTests {
    @Test(arguments: [
        ("msg=Hello", "Hello"), ("msg=a+b%20c", "a b c"), ("msg=a%2Bb", "a+b"), ("msg=%C3%a9", "é"),
        ("msg=é", "é"), ("msg=a=b", "a=b"), ("msg=1;msg=2", "1;msg=2"), ("msg=1&msg=2", "1"),
        ("msg=", ""), ("msg", ""), ("m%73g=x", "x"), ("&&msg=x&&", "x"), ("a=1&msg=x", "x"),
        ("msg=%00", "\0"), ("msg=a?b/", "a?b/"), ("MSG=x", nil), ("msgs=x", nil), ("=msg", nil),
        ("", nil), ("=", nil), ("a=msg", nil),
    ])
    func `A query is decoded as forms are, into the first value of a name`(
        text: String, value: String?
    ) {
        let query = Query(Array(text.utf8))
        #expect(query["msg"] == value)
        #expect(query.isValid)
    }

    @Test(arguments: ["e\u{301}", "\u{e9}"])
    func `A name is its bytes`(name: String) {
        let query = Query(Array("\(name)=x".utf8))
        #expect(query[name] == "x")
        // The other one is an equal String.
        #expect(query[name.utf8.count == 2 ? "e\u{301}" : "\u{e9}"] == nil)
    }

    @Test(arguments: [
        "%zz", "%4", "%", "%C3", "%ff", "%C3%28", "%ED%A0%80", "a%2", "%0g", "%0G", "%0@", "%0`",
        "%/0", "%:0",
    ])
    func `A query with an escape that is no UTF-8, wherever it stands, is not valid`(text: String) {
        for query in [text, "msg=\(text)", "\(text)=1", "a=1&b=\(text)&c=2"] {
            #expect(!Query(Array(query.utf8)).isValid)
        }
    }

    @Test(arguments: [[0xc3, 0x28], [0xff], [0xed, 0xa0, 0x80], [0x25, 0x41, 0xc3]])
    func `A query in bytes that are not UTF-8 is not valid`(bytes: [UInt8]) {
        #expect(!Query(Array("msg=".utf8) + bytes).isValid)
    }
}
