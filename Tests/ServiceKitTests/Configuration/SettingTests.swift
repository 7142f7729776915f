import Testing

@testable import ServiceKit

@Suite struct SettingTests {
    @Test(arguments: [
        ("1ms", Duration.milliseconds(1)), ("250ms", .milliseconds(250)), ("2s", .seconds(2)),
        ("1.5s", .milliseconds(1500)), ("1m", .seconds(60)), (".5s", .milliseconds(500)),
        ("1440m", .seconds(86_400)),
    ])
    func `A duration is a number and a unit`(text: String, duration: Duration) throws {
        #expect(try Setting<Duration>.duration().value(text) == duration)
    }

    @Test(arguments: [
        "", "2", "s", "ms", ".s", "1 s", " 1s", "-1s", "+1s", "1e3s", "0x1s", "infs", "nans",
        "1..5s",
        "0s", "0.5ms", "1h", "1S", "1s ", "1441m", "99999999999999999999999m", "٣s",
    ])
    func `Anything else is an error that names the value`(text: String) {
        #expect {
            try Setting<Duration>.duration().value(text)
        } throws: { error in
            "\(error)".hasPrefix("takes ") && "\(error)".contains(text.debugDescription)
        }
    }

    @Test(arguments: ["65536", "-1", "+80", "80 ", "0x50", "", "1e3", "８０"])
    func `A port is plain digits that fit`(text: String) {
        #expect(throws: UsageError.self) {
            try Setting<UInt16>.wholeNumber(0...65535).value(text)
        }
    }
}
