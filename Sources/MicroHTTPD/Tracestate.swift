/// What tracers add to a trace's context (W3C Trace Context §3.3).
enum Tracestate {
    /// How long a list is passed on, in bytes, so that it always fits in a header section; it
    /// should be 512 at least.
    private static let limit = 4096

    /// `text` if its grammar allows it, and otherwise nothing: a broken list is to be dropped whole.
    static func valid(_ text: String) -> String {
        // Before anything asks for characters.
        guard text.utf8.allSatisfy({ $0 < 0x80 }), text.utf8.count <= limit else { return "" }
        var keys: Set<Substring> = []
        for member in text.split(separator: ",") {
            let member = member.trimming { $0 == " " || $0 == "\t" }
            if member.isEmpty { continue }
            guard let equals = member.firstIndex(of: "="),
                isKey(member[..<equals]), isValue(member[equals...].dropFirst()),
                keys.insert(member[..<equals]).inserted, keys.count <= 32
            else { return "" }
        }
        return keys.isEmpty ? "" : text
    }

    /// `name`, or `tenant@system`.
    private static func isKey(_ key: Substring) -> Bool {
        let parts = key.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        let limits = parts.count == 1 ? [256] : [241, 14]
        return zip(parts, limits).enumerated().allSatisfy { index, part in
            let (name, limit) = part
            let isTenant = index == 0 && parts.count == 2
            guard let first = name.utf8.first, name.utf8.count <= limit,
                isLetter(first) || isTenant && isDigit(first)
            else { return false }
            return name.utf8.allSatisfy { isLetter($0) || isDigit($0) || "_-*/".utf8.contains($0) }
        }
    }

    /// 1 to 256 printable characters of ASCII without `,` and `=`.
    private static func isValue(_ value: Substring) -> Bool {
        (1...256).contains(value.utf8.count)
            && value.utf8.allSatisfy { (0x20...0x7e).contains($0) && !",=".utf8.contains($0) }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}

extension Substring {
    fileprivate func trimming(_ isBlank: (Character) -> Bool) -> Substring {
        let start = drop(while: isBlank)
        guard let last = start.lastIndex(where: { !isBlank($0) }) else { return "" }
        return start[...last]
    }
}
