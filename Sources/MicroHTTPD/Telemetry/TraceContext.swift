import Synchronization

/// The place of a request in a trace: the trace that it belongs to, and its span there.
///
/// W3C Trace Context, level 1. The package swift-w3c-trace-context is not used: it rejects later
/// versions of `traceparent`, and drops a good one whose `tracestate` is malformed.
public struct TraceContext: Sendable, Equatable {
    // Two numbers: UInt128 is aligned to 16, which makes everything that contains it more
    // expensive to allocate.
    private let traceHigh: UInt64
    private let traceLow: UInt64
    private let span: UInt64
    private let isSampled: Bool

    /// The value of `tracestate`; empty where there is none.
    public let tracestate: String

    /// A new span of a new trace.
    static func begin() -> Self {
        Self(
            traceHigh: UniqueNumber.next(), traceLow: UniqueNumber.next(),
            span: UniqueNumber.next(), isSampled: true, tracestate: "")
    }

    /// A new span of the same trace.
    func child() -> Self {
        Self(
            traceHigh: traceHigh, traceLow: traceLow, span: UniqueNumber.next(),
            isSampled: isSampled, tracestate: tracestate)
    }

    /// The trace's id: 32 hexadecimal digits.
    public var traceID: String { String(ascii: traceparentCString.span.extracting(3..<35)) }

    /// The value of `traceparent` that names this span as the parent.
    public var traceparent: String { String(ascii: traceparentCString.span.extracting(first: 55)) }

    /// The same with the NUL that C wants at the end.
    var traceparentCString: InlineArray<56, UInt8> {
        var text = InlineArray<56, UInt8>(repeating: UInt8(ascii: "0"))
        for place in [2, 35, 52] { text[place] = UInt8(ascii: "-") }
        for digit in 0..<16 {
            text[3 + digit] = Self.digit(digit, of: traceHigh)
            text[19 + digit] = Self.digit(digit, of: traceLow)
            text[36 + digit] = Self.digit(digit, of: span)
        }
        if isSampled { text[54] = UInt8(ascii: "1") }
        text[55] = 0
        return text
    }

    /// The hexadecimal digit of `number` at a place from 0, the highest, to 15.
    private static func digit(_ place: Int, of number: UInt64) -> UInt8 {
        UInt8(hexDigit: number >> (4 * UInt64(15 - place)))
    }
}

extension UInt64 {
    /// The value of at most 16 hexadecimal digits; only lower case is valid here.
    fileprivate init?(lowercaseHex digits: ArraySlice<UInt8>) {
        self = 0
        for digit in digits {
            guard digit.isDigit || digit.isLowercase, let value = digit.hexValue else {
                return nil
            }
            self = self << 4 | UInt64(value)
        }
    }
}

extension TraceContext {
    /// Reads the trace of a request; nil if there is none, or it is malformed (§3.2).
    init?(_ headerSection: HeaderSection) {
        let (count, traceparent) = headerSection.last("traceparent")
        guard count == 1 else { return nil }
        let text = Array(traceparent)
        let dash = UInt8(ascii: "-")
        guard text.count >= 55, text[2] == dash, text[35] == dash, text[52] == dash,
            let version = UInt64(lowercaseHex: text[..<2]), version != 0xff,
            // A later version may append more, behind another dash.
            text.count == 55 || version > 0 && text[55] == dash,
            let traceHigh = UInt64(lowercaseHex: text[3..<19]),
            let traceLow = UInt64(lowercaseHex: text[19..<35]), traceHigh | traceLow != 0,
            let span = UInt64(lowercaseHex: text[36..<52]), span != 0,
            let flags = UInt64(lowercaseHex: text[53..<55])
        else { return nil }
        self.traceHigh = traceHigh
        self.traceLow = traceLow
        self.span = span
        isSampled = flags & 1 == 1
        let tracestate = Array(
            headerSection.values("tracestate").joined(separator: [UInt8(ascii: ",")]))
        self.tracestate = Self.isTracestate(tracestate) ? String(ascii: tracestate.span) : ""
    }

    /// The length up to which a `tracestate` is passed on, in bytes, so that it always fits in a
    /// header section; it should be 512 at least (§3.3.1.5).
    private static let tracestateLimit = 4096

    /// Whether the grammar of `tracestate` allows this (§3.3); a malformed list is dropped whole.
    private static func isTracestate(_ list: [UInt8]) -> Bool {
        guard list.count <= tracestateLimit else { return false }
        var keys: Set<ArraySlice<UInt8>> = []
        for member in list.split(separator: UInt8(ascii: ",")) {
            let member = member.trimmed
            if member.isEmpty { continue }
            guard let equals = member.firstIndex(of: UInt8(ascii: "=")),
                isKey(member[..<equals]), isValue(member[equals...].dropFirst()),
                keys.insert(member[..<equals]).inserted, keys.count <= 32
            else { return false }
        }
        return !keys.isEmpty
    }

    /// `name`, or `tenant@system`.
    private static func isKey(_ key: ArraySlice<UInt8>) -> Bool {
        guard let at = key.firstIndex(of: UInt8(ascii: "@")) else {
            return isName(key, limit: 256)
        }
        return isName(key[..<at], limit: 241, mayBeginWithDigit: true)
            && isName(key[at...].dropFirst(), limit: 14)
    }

    private static func isName(
        _ name: ArraySlice<UInt8>, limit: Int, mayBeginWithDigit: Bool = false
    ) -> Bool {
        guard let first = name.first, name.count <= limit else { return false }
        return (first.isLowercase || mayBeginWithDigit && first.isDigit)
            && name.span.consists(of: .tracestateKey)
    }

    /// 1 to 256 printable characters of ASCII without `,` and `=`.
    private static func isValue(_ value: ArraySlice<UInt8>) -> Bool {
        (1...256).contains(value.count)
            && value.allSatisfy { (0x20...0x7e).contains($0) && $0 != UInt8(ascii: "=") }
    }
}

extension ArraySlice<UInt8> {
    /// Without the blanks on either side.
    fileprivate var trimmed: Self {
        func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == 0x09 }
        let start = drop(while: isBlank)
        guard let last = start.lastIndex(where: { !isBlank($0) }) else { return start }
        return start[...last]
    }
}

/// Numbers to tell requests and spans apart; not for secrets.
enum UniqueNumber {
    private static let state = Atomic(UInt64.random(in: 0 ... .max))

    /// A number that no other call returns in this process and, most likely, in any other; never 0.
    ///
    /// SplitMix64 (Steele, Lea, Flood 2014), which takes every value once in 2^64 calls. The system's
    /// generator would cost a system call each time.
    static func next() -> UInt64 {
        var number = state.wrappingAdd(0x9e37_79b9_7f4a_7c15, ordering: .relaxed).newValue
        number = (number ^ (number >> 30)) &* 0xbf58_476d_1ce4_e5b9
        number = (number ^ (number >> 27)) &* 0x94d0_49bb_1331_11eb
        number ^= number >> 31
        return number == 0 ? next() : number
    }
}
