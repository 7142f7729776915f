package import Foundation
import Glibc
import Synchronization

/// One of the two services as a process of its own: the real executable.
package final class ServiceProcess: Sendable {
    /// The port that it listens on; 0 if it has ended instead.
    package let port: UInt16

    private let process: Process
    private let output: Collected
    private let errors: Collected

    /// Its process id.
    package var pid: pid_t { process.processIdentifier }

    /// What it has written on standard output so far.
    package var lines: [Substring] { output.text.split(separator: "\n") }

    /// What it has written on standard error so far.
    package var errorText: String { errors.text }

    /// The lines of its log that tell of requests with this request id.
    package func requests(_ id: String) -> [Substring] {
        lines.filter { $0.contains(" request ") && $0.contains("request_id=\(id)") }
    }

    /// Starts `name` and returns when it listens, on a free port of loopback, or has ended.
    package init(
        _ name: String, _ arguments: [String] = [], environment: [String: String] = [:],
        address: [String] = ["--host", "127.0.0.1", "--port", "0"]
    ) throws {
        process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
            .deletingLastPathComponent().appendingPathComponent(name)
        process.arguments = address + arguments
        process.environment = ["PATH": "/usr/bin:/bin"].merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        let pipes = (Pipe(), Pipe())
        process.standardOutput = pipes.0
        process.standardError = pipes.1
        try process.run()
        output = Collected(pipes.0.fileHandleForReading)
        errors = Collected(pipes.1.fileHandleForReading)
        let (process, output) = (process, output)
        var port: UInt16?
        _ = eventually {
            let listening = output.text.split(separator: "\n").first { $0.contains(" listening ") }
            port = listening.flatMap { UInt16($0.split(separator: "port=").last ?? "") }
            return port != nil || !process.isRunning
        }
        self.port = port ?? 0
    }

    deinit {
        kill(pid, SIGKILL)
    }

    /// Sends it a signal.
    package func signal(_ signal: CInt) {
        kill(pid, signal)
    }

    /// Its exit code, or the number of the signal that ended it, once it has ended.
    package func exitCode() -> Int32 {
        process.waitUntilExit()
        output.waitForEnd()
        errors.waitForEnd()
        return process.terminationStatus
    }

    /// How many threads it has.
    package func threads() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task").count
    }
}

/// What has come out of a pipe so far.
private final class Collected: Sendable {
    private let state = Mutex((text: "", isAtEnd: false))

    var text: String { state.withLock { $0.text } }

    init(_ pipe: FileHandle) {
        Thread.detachNewThread { [self] in
            while case let data = pipe.availableData, !data.isEmpty {
                state.withLock { $0.text += String(decoding: data, as: UTF8.self) }
            }
            state.withLock { $0.isAtEnd = true }
        }
    }

    func waitForEnd() {
        _ = eventually { state.withLock { $0.isAtEnd } }
    }
}
