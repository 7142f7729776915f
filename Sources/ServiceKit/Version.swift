import MicroHTTPD

/// Which build this is.
public enum Version {
    #if DEBUG
        private static let kind = "debug"
    #else
        private static let kind = "release"
    #endif

    /// Version, kind of build, and the libmicrohttpd that it runs on.
    public static let text = "1.0.0 (\(kind), libmicrohttpd \(Server.libraryVersion))"
}
