import MicroHTTPD
import ServiceKit

/// What a client asked for with `GET /echo?msg=…`, and answers to it.
///
/// In the answers, `\n` ends a line, and is sent as CR LF.
package struct Echo: Sendable {
    /// The message to echo.
    let message: String

    /// The content of the right answer, such as `{"echo":"Hello"}`.
    let json: String

    /// The size of `json` in bytes.
    var length: Int { json.utf8.count }

    /// The size of `json` in hexadecimal digits.
    var hex: String { String(length, radix: 16) }

    /// Takes the message from the header section of a request.
    package init(request: String) {
        let line = request.prefix { $0 != "\r\n" }
        let target = line.split(separator: " ").dropFirst().first ?? ""
        let query = target.split(separator: "?", maxSplits: 1).dropFirst().first ?? ""
        message = Query(Array(query.utf8))["msg"] ?? "no message"
        json = Self.json(message)
    }

    /// The content that echoes `message`.
    static func json(_ message: String) -> String {
        String(decoding: JSON.object([("echo", .string(message))]).line.dropLast(), as: UTF8.self)
    }

    /// A valid answer with a `Content-Length`, by default the right one.
    func answer(status: String = "200 OK", fields: String = "", content: String? = nil) -> String {
        let content = content ?? json
        return "HTTP/1.1 \(status)\nContent-Length: \(content.utf8.count)\n\(fields)\n\(content)"
    }

    /// The right answer after a header section of just these lines.
    func answer(head: String) -> String {
        "\(head)\n\(json)"
    }

    /// A header section that says `chunked`, and then these chunks.
    func chunked(_ chunks: String, fields: String = "") -> String {
        "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\(fields)\n\(chunks)"
    }
}

extension PeerConnection {
    /// Reads a request.
    func echo() -> Echo {
        Echo(request: request())
    }

    /// Sends text in which `\n` ends a line, and these bytes with it.
    ///
    /// - Returns: false when the client takes no more.
    @discardableResult
    func send(lines text: String, and more: [UInt8] = []) -> Bool {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count * 5 / 4)
        for byte in text.utf8 {
            if byte == UInt8(ascii: "\n") { bytes.append(UInt8(ascii: "\r")) }
            bytes.append(byte)
        }
        return send(bytes + more)
    }
}
