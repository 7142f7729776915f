import FoundationEssentials
import Glibc
import Metrics

/// What Linux knows about this process, as the gauges of Prometheus' own clients.
struct ProcessMetrics: Sendable {
    private let residentMemory = Meter(label: "process_resident_memory_bytes")
    private let openDescriptors = Meter(label: "process_open_fds")
    private let threads = Meter(label: "process_threads")

    /// Records the current time as the start of the process.
    init() {
        Meter(label: "process_start_time_seconds").set(Date.now.timeIntervalSince1970)
    }

    func update() {
        // The second number is the pages in memory, proc(5).
        if let statm = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8),
            let pages = statm.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
        {
            residentMemory.set(pages * sysconf(CInt(_SC_PAGESIZE)))
        }
        openDescriptors.set(count(of: "/proc/self/fd"))
        threads.set(count(of: "/proc/self/task"))
    }

    private func count(of folder: String) -> Int {
        (try? FileManager.default.contentsOfDirectory(atPath: folder).count) ?? 0
    }
}
