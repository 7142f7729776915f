import CTestInterposer
import Foundation
import Glibc
import Synchronization

/// One of the two services as a process of its own: the real executable.
///
/// Not Foundation's `Process`, whose `run()` crashes where many threads open files.
package final class ServiceProcess: Sendable {
    /// The port that it listens on; 0 if it has ended instead.
    package let port: UInt16

    /// Its process id.
    package let pid: Int32

    private let output: Collected
    private let errors: Collected
    private let status = Mutex<CInt?>(nil)

    /// What it has written on standard output so far.
    package var lines: [Substring] { output.text.split(separator: "\n") }

    /// What it has written on standard error so far.
    package var errorText: String { errors.text }

    /// The lines of its log that tell of requests with this request id.
    package func requests(_ id: String) -> [Substring] {
        lines.filter { $0.contains(" request ") && $0.contains("request_id=\(id)") }
    }

    /// Starts `name` and returns when it listens, on a free port of loopback, or has ended.
    ///
    /// - Parameters:
    ///   - descriptors: how many files it may have open.
    ///   - pipe: its standard output, in the place of one of its own that ``lines`` come from.
    package init(
        _ name: String, _ arguments: [String] = [], environment: [String: String] = [:],
        address: [String] = ["--host", "127.0.0.1", "--port", "0"], descriptors: Int? = nil,
        pipe: LogPipe? = nil
    ) throws {
        let path = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
            .deletingLastPathComponent().appendingPathComponent(name).path
        // ThreadSanitizer needs to see the Mutexes of the services as well.
        let environment = ["PATH": "/usr/bin:/bin"].merging(cti_is_sanitized() ? interposer : [:]) {
            $1
        }.merging(environment) { $1 }
        let output = try Collected()
        let errors = try Collected()
        let limited = descriptors.map { ["sh", "-c", "ulimit -n \($0) && exec \"$@\"", "sh"] }
        // spawn closes what it is given.
        let shared = pipe.map { fcntl($0.input, F_DUPFD_CLOEXEC, 0) }
        if shared != nil { close(output.input) }
        pid = try spawn(
            limited == nil ? path : "/bin/sh", (limited ?? []) + [path] + address + arguments,
            environment.map { "\($0)=\($1)" },
            output: shared ?? output.input, errors: errors.input)
        output.collect()
        errors.collect()
        self.output = output
        self.errors = errors
        func listening() -> [Substring] {
            (pipe?.lines ?? output.text.split(separator: "\n")).filter { $0.contains("listening") }
        }
        let others = pipe == nil ? 0 : listening().count
        var port: UInt16?
        _ = eventually {
            pipe?.read()
            let line = listening().dropFirst(others).first
            port = line?.firstMatch(of: /port"?[=:](\d+)/).flatMap { UInt16($0.1) }
            return port != nil || errors.isAtEnd
        }
        self.port = port ?? 0
    }

    deinit {
        // Not yet waited for, or else the number may be another process's by now.
        if status.withLock({ $0 }) == nil {
            kill(pid, SIGKILL)
            _ = exitCode()
        }
    }

    /// Sends it a signal.
    package func signal(_ signal: CInt) {
        if status.withLock({ $0 }) == nil { kill(pid, signal) }
    }

    /// Stops it, as SIGSTOP does, and returns when it has stopped.
    package func freeze() throws {
        signal(SIGSTOP)
        _ = try eventually {
            let threads = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")
            return try threads.allSatisfy { thread in
                try String(contentsOfFile: "/proc/\(pid)/task/\(thread)/stat", encoding: .utf8)
                    .contains(") T ")
            }
        }
    }

    /// Waits for its end, and brings that about after half a minute.
    ///
    /// - Returns: its exit code, or 256 more than the number of the signal that ended it.
    package func exitCode() -> CInt {
        let code = status.withLock { status in
            if let status { return status }
            var result: CInt = 0
            let hasEnded = eventually(within: .seconds(30)) {
                unsafe waitpid(pid, &result, WNOHANG) == pid
            }
            if !hasEnded {
                kill(pid, SIGKILL)
                while unsafe waitpid(pid, &result, 0) < 0, errno == EINTR {}
            }
            let signal = result & 0x7f
            let code = signal == 0 ? result >> 8 & 0xff : 256 + signal
            status = code
            return code
        }
        _ = eventually { output.isAtEnd && errors.isAtEnd }
        return code
    }

    /// Closes the other end of its standard output, when it has written once more.
    package func closeOutput() {
        output.isWanted.store(false, ordering: .relaxed)
    }

    /// Reads nothing more of its standard output, and leaves it open.
    package func ignoreOutput() {
        output.isIgnored.store(true, ordering: .relaxed)
    }

    /// Goes on reading.
    package func readOutput() {
        output.isIgnored.store(false, ordering: .relaxed)
    }

    /// Whether that is done, or it has closed its own end.
    package var isOutputClosed: Bool { output.isAtEnd }

    /// How much memory it has in use.
    package func residentBytes() throws -> Int {
        let pages = try String(contentsOfFile: "/proc/\(pid)/statm", encoding: .utf8)
            .split(separator: " ").dropFirst().first
        return (pages.flatMap { Int($0) } ?? 0) * 4096
    }

    /// How many descriptors it has open.
    package func descriptors() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").count
    }

    /// How much time of a processor it has had so far.
    package func processorTime() throws -> Duration {
        let fields = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
            .split(separator: ")").last?.split(separator: " ").dropFirst(11).prefix(2)
        return .milliseconds(10 * (fields ?? []).compactMap { Int($0) }.reduce(0, +))
    }

    /// How many threads it has.
    package func threads() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task").count
    }
}

/// Starts a process with nothing on standard input.
private func spawn(
    _ path: String, _ arguments: [String], _ environment: [String], output: CInt, errors: CInt
) throws -> pid_t {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    unsafe posix_spawn_file_actions_adddup2(&actions, output, 1)
    unsafe posix_spawn_file_actions_adddup2(&actions, errors, 2)
    var argv = unsafe arguments.map { unsafe strdup($0) } + [nil]
    var envp = unsafe environment.map { unsafe strdup($0) } + [nil]
    defer { unsafe (argv + envp).forEach { unsafe free($0) } }
    var pid: pid_t = 0
    let code = unsafe posix_spawn(&pid, path, &actions, nil, &argv, &envp)
    close(output)
    close(errors)
    guard code == 0 else { throw POSIXError(POSIXErrorCode(rawValue: code) ?? .EIO) }
    return pid
}

/// What has come out of a pipe so far.
private final class Collected: Sendable {
    private struct State {
        var bytes: [UInt8] = []
        var isAtEnd = false
    }

    /// The end to write to, for the process that is started with it.
    let input: CInt

    /// Whether to go on reading.
    let isWanted = Atomic(true)

    /// Whether to leave everything where it is.
    let isIgnored = Atomic(false)

    private let end: CInt
    private let state = Mutex(State())

    var text: String { state.withLock { String(decoding: $0.bytes, as: UTF8.self) } }

    var isAtEnd: Bool { state.withLock { $0.isAtEnd } }

    init() throws {
        var ends: [CInt] = [0, 0]
        // A pair of sockets, since Glibc's pipe2 is not to be had, and each has to be closed in the
        // processes that other threads start meanwhile.
        let type = CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard unsafe socketpair(AF_UNIX, type, 0, &ends) == 0 else { throw POSIXError(.EMFILE) }
        (end, input) = (ends[0], ends[1])
    }

    /// Reads, on a thread of its own, until the other end is closed or nobody wants more.
    func collect() {
        Thread.detachNewThread { [self] in
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while isWanted.load(ordering: .relaxed) {
                if isIgnored.load(ordering: .relaxed) {
                    usleep(10_000)
                    continue
                }
                let count = unsafe read(end, &buffer, buffer.count)
                if count > 0 { state.withLock { $0.bytes += buffer.prefix(count) } }
                if count == 0 || count < 0 && errno != EINTR { break }
            }
            close(end)
            state.withLock { $0.isAtEnd = true }
        }
    }
}
