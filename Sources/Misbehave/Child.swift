import Glibc
import ServiceKit
import Synchronization

/// A process that a command is run in, with nothing on its standard streams.
struct Child {
    /// The one that runs, which is also the number of its group; 0 if none does.
    private static let running = Atomic<pid_t>(0)

    private let pid: pid_t

    /// Starts the first of `arguments`, which is looked up in the `PATH`.
    init(_ arguments: [String]) throws {
        for stop in [SIGINT, SIGTERM] {
            // It is in a group of its own, to which a terminal's Ctrl-C does not go.
            _ = signal(stop) { signal in
                let running = Child.running.load(ordering: .relaxed)
                if running > 0 { kill(-running, SIGKILL) }
                _exit(128 + signal)
            }
        }
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        for stream: CInt in 0...2 {
            unsafe posix_spawn_file_actions_addopen(&actions, stream, "/dev/null", O_RDWR, 0)
        }
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        var argv = unsafe arguments.map { unsafe strdup($0) } + [nil]
        defer { unsafe argv.forEach { unsafe free($0) } }
        var pid: pid_t = 0
        let code = unsafe posix_spawnp(&pid, arguments[0], &actions, &attributes, &argv, environ)
        guard code == 0 else {
            throw UsageError(
                "cannot run \(arguments[0]): \(unsafe String(cString: strerror(code)))")
        }
        self.pid = pid
        Self.running.store(pid, ordering: .relaxed)
    }

    /// Waits until it ends, or ends it and all that it has started.
    ///
    /// - Returns: its status, as of wait(2), and its peak memory in bytes: of those that it has
    ///   started and waited for, the largest counts.
    func wait(until deadline: ContinuousClock.Instant) -> (status: CInt, memory: Int) {
        var status: CInt = 0
        var usage = rusage()
        while unsafe wait4(pid, &status, WNOHANG, &usage) == 0 {
            if ContinuousClock.now >= deadline {
                kill(-pid, SIGKILL)
                while unsafe wait4(pid, &status, 0, &usage) < 0, errno == EINTR {}
                break
            }
            usleep(2000)  // wait4 has no deadline of its own.
        }
        Self.running.store(0, ordering: .relaxed)
        return (status, usage.ru_maxrss * 1024)
    }
}
