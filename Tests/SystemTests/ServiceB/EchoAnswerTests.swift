import Testing

@testable import ServiceB

@Suite struct EchoAnswerTests {
    @Test(arguments: [
        (#"{"echo":"Hi"}"#, "Hi"), (" {\n\t\"echo\" : \"Hi\" } \r\n", "Hi"), (#"{"echo":""}"#, ""),
        (#"{"a":[1,-0.5e+3,{"echo":"x"},[],{}],"echo":"Hi","b":true}"#, "Hi"),
        (#"{"a":null,"b":false,"c":0,"d":-0,"e":1E9,"echo":"é"}"#, "é"),
        (#"{"\u0065cho":"\"\\\/\b\f\n\r\t\u0000\uD83D\ude00"}"#, "\"\\/\u{8}\u{c}\n\r\t\0😀"),
    ])
    func `An object with one echo is an answer, however it is written`(
        content: String, echo: String
    ) {
        #expect(EchoAnswer.echo(in: Array(content.utf8)) == Array(echo.utf8))
    }

    @Test(arguments: [
        "", "{", "{}", "[]", #""echo""#, #"["echo","Hi"]"#, #"{"echo":1}"#, #"{"echo":null}"#,
        #"{"Echo":"Hi"}"#, #"{"echo":"Hi"}x"#, #"{"echo":"Hi"}{}"#, #"{"echo":"Hi",}"#,
        #"{,"echo":"Hi"}"#, #"{"echo""Hi"}"#, #"{"echo":"Hi" "a":1}"#, #"{"echo":"Hi""#,
        #"{"echo":,"echo":"Hi"}"#, #"{"echo":"\x,"echo":"Hi"}"#, #"{"echo":"Hi","echo":"Hi"}"#,
        #"{"a":{"echo":"Hi"}}"#, #"{echo:"Hi"}"#, "{'echo':'Hi'}",
        #"{"echo":"\x41"}"#, #"{"echo":"\u12"}"#, #"{"echo":"\ud800"}"#, #"{"echo":"\ude00"}"#,
        #"{"echo":"\ud83d\u0041"}"#, #"{"echo":"\"#, #"{"echo":"\"}"#, "{\"echo\":\"\u{1}\"}",
        "\u{feff}{\"echo\":\"Hi\"}", "{\"echo\":\"Hi\"}\0", "\u{a0}{\"echo\":\"Hi\"}",
    ])
    func `Anything else is none`(content: String) {
        #expect(EchoAnswer.echo(in: Array(content.utf8)) == nil)
    }

    @Test(arguments: [
        "01", "-", "+1", ".5", "1.", "1e", "1e+", "NaN", "Infinity", "0x10", "tru", "nul", "[1,]",
        "[,1]", "[1 2]", "[1", "{\"b\":}", "{1:2}", "//", "'a'", "\"\n\"",
    ])
    func `Nor is one beside a value that RFC 8259 does not know`(value: String) {
        #expect(EchoAnswer.echo(in: Array(#"{"a":\#(value),"echo":"Hi"}"#.utf8)) == nil)
        #expect(EchoAnswer.echo(in: Array(#"{"a":0,"echo":"Hi"}"#.utf8)) == Array("Hi".utf8))
    }

    @Test func `Nor is one in bytes that are not UTF-8, or nested too deep`() {
        #expect(
            EchoAnswer.echo(in: Array(#"{"echo":"Hi","a":""#.utf8) + [0xff, 0x22, 0x7d]) == nil)
        for (depth, isAnswer) in [(90, true), (30_000, false)] {
            let nested =
                String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
            let content = #"{"a":\#(nested),"echo":"Hi"}"#
            #expect((EchoAnswer.echo(in: Array(content.utf8)) != nil) == isAnswer)
        }
    }
}
