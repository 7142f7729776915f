import Foundation
import Glibc
import TestSupport
import Testing

@testable import ServiceKit

@Suite(.ownThread) struct LogWriterTests {
    init() {
        // As the services do; a writer goes on when its test is over.
        signal(SIGPIPE, SIG_IGN)
    }

    private func append(_ text: String, to writer: LogWriter) {
        writer.append { bytes, _, lost in
            if lost > 0 { bytes.append(contentsOf: "lost \(lost)\n".utf8) }
            bytes.append(contentsOf: "\(text)\n".utf8)
        }
    }

    @Test func `No line waits for a reader that has stopped`() throws {
        let pipe = try LogPipe(size: 4096)
        let first = LogWriter(to: pipe.input)
        append(String(repeating: "x", count: 4095), to: first)
        first.flush()  // Now the pipe is full.
        let start = ContinuousClock.now
        for _ in 0..<50 {
            // One that does not know yet that nobody reads.
            append("error", to: LogWriter(to: pipe.input))
        }
        #expect(ContinuousClock.now - start < .seconds(2))
        #expect(
            eventually {
                pipe.read()
                return pipe.lines.count { $0 == "error" } == 50
            })
        // The flags of others who write to the same pipe are theirs.
        #expect(fcntl(pipe.input, F_GETFL) & O_NONBLOCK == 0)
    }

    @Test func `Writers that share a pipe do not break each other's lines`() throws {
        let pipe = try LogPipe()
        let count = 50_000
        let fillings = (0..<300).map { String(repeating: "x", count: $0) }
        let writers = ["a", "b"].map { (name: $0, writer: LogWriter(to: pipe.input)) }
        let loads = writers.map { name, writer in
            inBackground {
                for number in 0..<count {
                    append("\(name) \(number) \(fillings[number % 300]).", to: writer)
                }
                writer.flush()
            }
        }
        while !loads.allSatisfy(\.isOpen) { pipe.read() }
        pipe.resize(1_048_576)
        // How many lines were lost last is told with the next one that finds room.
        var ends = 0
        #expect(
            eventually {
                for (_, writer) in writers { append("end", to: writer) }
                ends += 2
                for _ in 0..<20 { pipe.read() }
                let told = pipe.lines.reduce(0) { sum, line in
                    sum + (line.hasPrefix("lost ") ? Int(line.dropFirst(5)) ?? 0 : 1)
                }
                return told == 2 * count + ends
            })
        var next = ["a": 0, "b": 0]
        for line in pipe.lines where line != "end" && !line.hasPrefix("lost ") {
            let words = line.split(separator: " ", omittingEmptySubsequences: false)
            let number = try #require(words.dropFirst().first.flatMap { Int($0) }, "\(line)")
            try #require(line == "\(words[0]) \(number) \(fillings[number % 300]).")
            #expect(number >= next[String(words[0])] ?? count)
            next[String(words[0])] = number + 1
        }
    }

    @Test(arguments: ["pipe", "socket"])
    func `Lines that nobody reads are kept, then lost and counted, and none is broken`(
        kind: String
    ) throws {
        let pipe = try LogPipe()
        var ends: [CInt] = [pipe.input, -1]
        if kind == "socket" {
            let type = CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
            #expect(unsafe socketpair(AF_UNIX, type, 0, &ends) == 0)
        }
        let writer = LogWriter(to: ends[0])
        for number in 0..<10_000 {
            append("\(number) \(String(repeating: "x", count: 800))", to: writer)
        }
        var text = ""
        func read() {
            if kind == "pipe" {
                for _ in 0..<16 { pipe.read() }
                text = pipe.lines.joined(separator: "\n")
            } else {
                var buffer = [UInt8](repeating: 0, count: 1_048_576)
                let count = unsafe recv(ends[1], &buffer, buffer.count, CInt(MSG_DONTWAIT))
                text += String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
            }
        }
        #expect(
            eventually {
                read()
                return text.split(separator: "\n").count > 4000
            })
        #expect(
            eventually {
                append("end", to: writer)
                read()
                return text.contains("end")
            })
        let lines = text.split(separator: "\n").prefix { $0 != "end" }
        let kept = lines.prefix { !$0.hasPrefix("lost ") }
        for (number, line) in kept.enumerated() {
            #expect(line == "\(number) \(String(repeating: "x", count: 800))")
        }
        let lost = try #require(lines.last.flatMap { Int($0.dropFirst(5)) })
        #expect(kept.count + 1 == lines.count)
        #expect(kept.count + lost == 10_000)
        if kind == "socket" { for end in ends { close(end) } }
    }
}
