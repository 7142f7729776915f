import Synchronization

/// Numbers to tell requests apart; not for secrets.
enum UniqueID {
    private static let state = Atomic(UInt64.random(in: 0 ... .max))

    /// A number that no other call returns in this process and, most likely, in any other; never 0.
    ///
    /// SplitMix64 (Steele, Lea, Flood 2014), which takes every value once in 2^64 calls. The system's generator
    /// would cost a system call each time.
    static func next() -> UInt64 {
        var number = state.wrappingAdd(0x9e37_79b9_7f4a_7c15, ordering: .relaxed).newValue
        number = (number ^ (number >> 30)) &* 0xbf58_476d_1ce4_e5b9
        number = (number ^ (number >> 27)) &* 0x94d0_49bb_1331_11eb
        number ^= number >> 31
        return number == 0 ? next() : number
    }
}

extension UInt8 {
    /// The character for the lowest four bits of a number.
    init(hexDigit number: UInt64) {
        let value = UInt8(truncatingIfNeeded: number) & 0xf
        self = value + (value < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10)
    }
}
