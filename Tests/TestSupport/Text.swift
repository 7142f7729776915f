extension String {
    /// Up to 20 characters, among them all those that are special to somebody.
    package static func random() -> String {
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

extension Collection<UInt8> {
    /// Each byte as an escape of a URL.
    package var percentEscaped: String {
        map { byte in (byte < 16 ? "%0" : "%") + String(byte, radix: 16) }.joined()
    }
}
