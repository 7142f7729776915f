/// How large the parts of a request may be, in bytes unless stated otherwise.
package enum Limits {
    /// libmicrohttpd's memory for one connection: its buffers and header sections.
    static let connectionMemory = 24 * 1024

    /// A request target.
    package static let target = 8 * 1024

    /// A header section; with the target, less than libmicrohttpd has memory for.
    static let headerSection = 8 * 1024

    /// The number of fields of a header section.
    static let fields = 64
    static let content = 64 * 1024

    /// Content that is read and discarded, so that a client that is still sending gets to read why
    /// it was rejected.
    static let discardedContent = 8 * 1024 * 1024
}
