package import Foundation
import Glibc
import Synchronization

/// One of the two services as a process of its own: the real executable.
package final class ServiceProcess: Sendable {
    /// The port that it listens on; 0 if it has ended instead.
    package let port: UInt16

    // Process.run() crashes when two threads are in it.
    private static let running = Mutex(())

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
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
            .deletingLastPathComponent().appendingPathComponent(name)
        process.arguments = address + arguments
        process.environment = ["PATH": "/usr/bin:/bin"].merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        let pipes = (Pipe(), Pipe())
        process.standardOutput = pipes.0
        process.standardError = pipes.1
        try Self.running.withLock { _ in try process.run() }
        self.process = process
        let output = Collected(pipes.0.fileHandleForReading)
        self.output = output
        errors = Collected(pipes.1.fileHandleForReading)
        var port: UInt16?
        _ = eventually {
            let line = output.text.split(separator: "\n").first { $0.contains("listening") }
            port = line?.firstMatch(of: /port"?[=:](\d+)/).flatMap { UInt16($0.1) }
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

    /// Closes the other end of its standard output, when it has written once more.
    package func closeOutput() {
        output.isWanted.store(false, ordering: .relaxed)
    }

    /// Whether that is done, or it has closed its own end.
    package var isOutputClosed: Bool { output.isAtEnd }

    /// How many threads it has.
    package func threads() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task").count
    }
}

/// What has come out of a pipe so far.
private final class Collected: Sendable {
    private let state = Mutex((text: "", isAtEnd: false))

    let isWanted = Atomic(true)

    var text: String { state.withLock { $0.text } }

    var isAtEnd: Bool { state.withLock { $0.isAtEnd } }

    init(_ pipe: FileHandle) {
        Thread.detachNewThread { [self] in
            while case let data = pipe.availableData, !data.isEmpty,
                isWanted.load(ordering: .relaxed)
            {
                state.withLock { $0.text += String(decoding: data, as: UTF8.self) }
            }
            try? pipe.close()
            state.withLock { $0.isAtEnd = true }
        }
    }

    func waitForEnd() {
        _ = eventually { isAtEnd }
    }
}
