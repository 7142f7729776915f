import Glibc

/// The number of files that this process may have open.
public enum DescriptorLimit {
    /// The fewest with which a service starts.
    ///
    /// Its own files are up to 20; 12 more are for files open for a moment, such as those of /proc
    /// for Dispatch, which ends a process that can open no more files. Connections get the rest.
    static let least = 64

    private static let reserve = 32

    static let files = Int(raise())

    /// How many connections a service may have: half of what the reserve leaves.
    ///
    /// 10,000 at most, which is some 250 MB.
    static let connections = max(1, min(10_000, (files - reserve) / 2))

    /// How many calls of Service A there may be at once: they get the other half.
    ///
    /// Each may have four files open, while its name is looked up: a pair of sockets between
    /// libcurl's threads, that to the name server, and one of the pair of a call that has ended.
    public static let calls = max(1, min(10_000, (files - reserve - connections) / 4))

    /// Raises the soft limit to the hard one, and returns it.
    static func raise() -> UInt32 {
        var limit = rlimit()
        let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard unsafe getrlimit(files, &limit) == 0 else { return 1024 }
        limit.rlim_cur = limit.rlim_max
        // If this fails, the soft limit stays.
        _ = unsafe setrlimit(files, &limit)
        _ = unsafe getrlimit(files, &limit)
        return UInt32(clamping: limit.rlim_cur)
    }
}
