import Glibc

/// The number of files that this process may have open.
public enum DescriptorLimit {
    /// How many connections a service may have on either side: half of what its own files leave.
    ///
    /// 10,000 at most, which is some 250 MB; Dispatch ends a process that can open no more files.
    public static let connections = max(4, min(10_000, (Int(raise()) - 32) / 2))

    /// Raises the soft limit to the hard one, and tells what it is then.
    static func raise() -> UInt32 {
        var limit = rlimit()
        let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard unsafe getrlimit(files, &limit) == 0 else { return 1024 }
        limit.rlim_cur = limit.rlim_max
        // If it stays where it was, that is what there is.
        _ = unsafe setrlimit(files, &limit)
        _ = unsafe getrlimit(files, &limit)
        return UInt32(clamping: limit.rlim_cur)
    }
}
