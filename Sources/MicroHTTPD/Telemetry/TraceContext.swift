import Synchronization

/// The place of a request in a trace: the trace that it belongs to, and its span there.
///
/// W3C Trace Context, level 1. The package swift-w3c-trace-context is not used: it rejects later
/// versions of `traceparent`, and drops a good one whose `tracestate` is malformed.
public struct TraceContext: Sendable {
    // The value of `traceparent`, with the NUL that C wants at the end.
    let text: InlineArray<56, UInt8>

    /// The value of `tracestate`; empty where there is none.
    public let tracestate: String

    /// A new span of a new trace.
    static func begin() -> Self {
        var text = InlineArray<56, UInt8>(repeating: UInt8(ascii: "0"))
        for place in [2, 35, 52] { text[place] = UInt8(ascii: "-") }
        write(UniqueNumber.next(), to: &text, at: 3)
        write(UniqueNumber.next(), to: &text, at: 19)
        text[54] = UInt8(ascii: "1")
        text[55] = 0
        return Self(text: text, tracestate: "").child()
    }

    /// A new span of the same trace.
    func child() -> Self {
        var text = text
        Self.write(UniqueNumber.next(), to: &text, at: 36)
        return Self(text: text, tracestate: tracestate)
    }

    private static func write(
        _ number: UInt64, to text: inout InlineArray<56, UInt8>, at place: Int
    ) {
        for digit in 0..<16 {
            text[place + digit] = UInt8(hexDigit: number >> (4 * UInt64(15 - digit)))
        }
    }

    /// The trace's id: 32 hexadecimal digits.
    public var traceID: String { String(ascii: text.span.extracting(3..<35)) }

    /// The value of `traceparent` that names this span as the parent.
    public var traceparent: String { String(ascii: text.span.extracting(first: 55)) }
}

extension TraceContext {
    /// Reads the trace of a request; nil if there is none, or it is malformed (§3.2).
    init?(_ headerSection: HeaderSection) {
        let (count, value) = headerSection.last("traceparent")
        guard count == 1, value.count >= 55 else { return nil }
        let (zero, dash) = (UInt8(ascii: "0"), UInt8(ascii: "-"))
        var text = InlineArray<56, UInt8> { $0 < 55 ? value[value.startIndex + $0] : 0 }
        for place in 0..<55 {
            let isDash = place == 2 || place == 35 || place == 52
            guard isDash ? text[place] == dash : ASCIISet.lowercaseHex.contains(text[place]) else {
                return nil
            }
        }
        let isVersion0 = text[0] == zero && text[1] == zero
        let isVersion255 = text[0] == UInt8(ascii: "f") && text[1] == UInt8(ascii: "f")
        guard !isVersion255,
            // A later version may append more, behind another dash.
            value.count == 55 || !isVersion0 && value[value.startIndex + 55] == dash,
            !text.span.extracting(3..<35).consists(of: ASCIISet("0")),
            !text.span.extracting(36..<52).consists(of: ASCIISet("0"))
        else { return nil }
        (text[0], text[1], text[53]) = (zero, zero, zero)
        text[54] = zero + (text[54].hexValue ?? 0) & 1
        self.text = text
        // Passed on as it is: its grammar is for those who read it, which this server does not.
        let tracestate = Array(
            headerSection.values("tracestate").joined(separator: [UInt8(ascii: ",")]))
        let isSafe = tracestate.count <= Self.tracestateLimit && tracestate.allSatisfy { $0 < 0x80 }
        self.tracestate = isSafe ? String(ascii: tracestate.span) : ""
    }

    /// The length up to which a `tracestate` is passed on, in bytes, so that it always fits in a
    /// header section; it should be 512 at least (§3.3.1.5).
    private static let tracestateLimit = 4096
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
