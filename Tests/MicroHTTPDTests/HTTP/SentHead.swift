import HTTPTypes

@testable import MicroHTTPD

// What libmicrohttpd makes of the bytes of a head, without libmicrohttpd.

extension RequestHead {
    /// Takes a first line and the lines of `name:value` behind it.
    init(sent text: String, blankSize: Int = 0, isReadAsSent: Bool = true) {
        let lines = text.split(separator: "\n").map(String.init)
        let words = lines[0].split(separator: " ").map(String.init)
        let method = HTTPRequest.Method(words[0])
        self.init(
            method: method, target: RequestTarget(sent: words[1], of: method),
            headerSection: HeaderSection(lines: Array(lines.dropFirst())),
            isVersion1_0: words.last == "HTTP/1.0",
            size: text.utf8.count + blankSize, isReadAsSent: isReadAsSent)
    }
}

extension RequestTarget {
    /// Takes a target as it stands in a request.
    init(sent text: String, of method: HTTPRequest.Method? = .get) {
        let parts = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        self.init(
            String(parts[0]), query: parts.count == 2 ? Array(parts[1].utf8) : nil, of: method)
    }
}

extension HeaderSection {
    /// Takes lines of `name:value`.
    init(lines: [String], blanks: Int = 1) {
        self.init()
        for line in lines {
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            append(parts[0].utf8, parts[1].utf8, blanks: blanks)
        }
    }
}
