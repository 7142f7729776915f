/// Content in the format of gzip (RFC 1952), well-formed or not.
enum Gzip {
    private static let head: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]

    /// `bytes` in gzip, with this checksum instead of the right one.
    static func of(_ bytes: [UInt8], checksum: UInt32? = nil) -> [UInt8] {
        head + stored(bytes) + littleEndian(checksum ?? crc(bytes))
            + littleEndian(UInt32(truncatingIfNeeded: bytes.count))
    }

    /// `bytes` in deflate, as one block that is stored (RFC 1951 §3.2.4): 64 KiB at most.
    static func stored(_ bytes: [UInt8]) -> [UInt8] {
        let count = UInt16(bytes.count)
        return [1] + littleEndian(count) + littleEndian(~count) + bytes
    }

    private static func littleEndian(_ number: some FixedWidthInteger) -> [UInt8] {
        (0..<number.bitWidth / 8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
    }

    private static func crc(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(~0) { crc, byte in crc >> 8 ^ remainders[Int(crc & 0xff) ^ Int(byte)] }
    }

    private static let remainders: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(byte) { crc, _ in crc >> 1 ^ (crc & 1 == 1 ? 0xedb8_8320 : 0) }
    }

    /// Zeros in deflate: a literal, then its repetition by 258, over and over.
    ///
    /// It ends without a checksum.
    static func ofZeros(count: Int) -> [UInt8] {
        var bytes = head
        var pending = 0
        var pendingCount = 0
        // Bits of Huffman codes, the first one first.
        func put(_ bits: String) {
            for bit in bits.utf8 {
                pending |= (bit == UInt8(ascii: "1") ? 1 : 0) << pendingCount
                pendingCount += 1
                if pendingCount == 8 {
                    bytes.append(UInt8(pending))
                    (pending, pendingCount) = (0, 0)
                }
            }
        }
        put("1" + "10")  // The last block, with fixed codes (RFC 1951 §3.2.6).
        put("00110000")  // The literal 0.
        for _ in 0..<count / 258 { put("11000101" + "00000") }  // Length 258, distance 1.
        put("0000000" + "0000000")
        return bytes
    }
}
