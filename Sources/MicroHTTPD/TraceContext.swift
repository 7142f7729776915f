/// The place of a request in a trace: the trace that it belongs to, and its span there.
///
/// W3C Trace Context, level 1.
public struct TraceContext: Sendable, Equatable {
    private let trace: UInt128
    private let span: UInt64
    private let isSampled: Bool

    /// The value of `tracestate`; empty where there is none.
    public let tracestate: String

    /// A new span of a new trace.
    static func begin() -> Self {
        let trace = UInt128(UniqueID.next()) << 64 | UInt128(UniqueID.next())
        return Self(trace: trace, span: UniqueID.next(), isSampled: true, tracestate: "")
    }

    /// A new span of the same trace.
    func child() -> Self {
        Self(trace: trace, span: UniqueID.next(), isSampled: isSampled, tracestate: tracestate)
    }

    private init(trace: UInt128, span: UInt64, isSampled: Bool, tracestate: String) {
        self.trace = trace
        self.span = span
        self.isSampled = isSampled
        self.tracestate = tracestate
    }

    /// Takes what a request carries; nil where that is nothing, or not valid (§3.2).
    init?(_ headerSection: HeaderSection) {
        let values = headerSection.values("traceparent")
        guard values.count == 1, let traceparent = values.first else { return nil }
        let text = Array(traceparent.utf8)
        guard text.count >= 55, text[2] == dash, text[35] == dash, text[52] == dash,
            let version = UInt128(lowercaseHex: text[..<2]), version != 0xff,
            // A later version may have more to say, behind another dash.
            text.count == 55 || version > 0 && text[55] == dash,
            let trace = UInt128(lowercaseHex: text[3..<35]), trace != 0,
            let span = UInt128(lowercaseHex: text[36..<52]), span != 0,
            let flags = UInt128(lowercaseHex: text[53..<55])
        else { return nil }
        self.trace = trace
        self.span = UInt64(span)
        isSampled = flags & 1 == 1
        tracestate = Tracestate.valid(
            headerSection.values("tracestate").joined(separator: ","))
    }

    /// The trace's id: 32 hexadecimal digits.
    public var traceID: String {
        unsafe String(unsafeUninitializedCapacity: 32) { text in
            unsafe Self.write(trace, to: text, at: 0..<32)
            return 32
        }
    }

    /// The value of `traceparent` that names this span as the parent.
    public var traceparent: String {
        unsafe String(unsafeUninitializedCapacity: 55) { text in
            for place in [0, 1, 53, 54] { unsafe text[place] = UInt8(ascii: "0") }
            for place in [2, 35, 52] { unsafe text[place] = dash }
            if isSampled { unsafe text[54] = UInt8(ascii: "1") }
            unsafe Self.write(trace, to: text, at: 3..<35)
            unsafe Self.write(UInt128(span), to: text, at: 36..<52)
            return 55
        }
    }

    /// Writes the lowest digits of a number, as many as there are places.
    private static func write(
        _ number: UInt128, to text: UnsafeMutableBufferPointer<UInt8>, at places: Range<Int>
    ) {
        var rest = number
        for place in places.reversed() {
            unsafe text[place] = UInt8(hexDigit: UInt64(truncatingIfNeeded: rest))
            rest >>= 4
        }
    }
}

private let dash = UInt8(ascii: "-")

extension UInt128 {
    /// The value of hexadecimal digits, of which only the lower case is valid here.
    fileprivate init?(lowercaseHex digits: ArraySlice<UInt8>) {
        self = 0
        for digit in digits {
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                self = self << 4 | UInt128(digit - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"):
                self = self << 4 | UInt128(digit - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
    }
}
