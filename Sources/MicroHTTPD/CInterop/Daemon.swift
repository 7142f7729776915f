import CMicroHTTPD
import CMicroHTTPDFixes
import Dispatch
import Synchronization

/// The owner of libmicrohttpd's daemons, one for each thread: their connections and their sockets.
///
/// Not one daemon with a pool of threads: MHD_quiesce_daemon and the limit of connections can abort
/// the process there (0.9.75, daemon.c:5531), and a pool is no faster.
@safe struct Daemon: ~Copyable, Sendable {
    // Sendable: MHD_stop_daemon, the one call made with them, may be made on any thread but theirs.
    nonisolated(unsafe) private var pointers: [OpaquePointer] = unsafe []
    let listener: Listener

    /// Starts serving the connections of `listener`, on a thread of libmicrohttpd's for each socket.
    ///
    /// The daemons keep no reference to `server`, which must outlive them.
    init(listener: consuming Listener, server: Server) throws(SocketError) {
        self.listener = listener
        unsafe cmhdf_on_refusal { connection, status in
            guard let connection = unsafe Connection(connection) else { return .NO }
            return connection.reject(status: Int(status)) ? .YES : .NO
        }
        let count = UInt32(self.listener.count)
        let limit = (server.configuration.connectionLimit + count - 1) / count
        do throws(SocketError) {
            for index in 0..<self.listener.count {
                // One of its own: libmicrohttpd closes it, also if it does not start, unless that
                // fails early. Then it stays open, since nobody here can tell.
                let daemon = unsafe cmhd_start(
                    try self.listener.duplicate(index), limit, Limits.connectionMemory,
                    access, completed, connectionChanged, cmhd_hide_query, cmhd_keep_escapes,
                    Unmanaged.passUnretained(server).toOpaque())
                guard let daemon = unsafe daemon else {
                    throw SocketError("libmicrohttpd does not start")
                }
                unsafe pointers.append(daemon)
            }
        } catch {
            // The deinit stops those that have started, which may serve already.
            server.connections.abandonHandlers()
            throw error
        }
    }

    /// Closes every connection and waits for libmicrohttpd's threads to end, on a thread that is
    /// neither one of them nor one of the concurrent pool's.
    ///
    /// No connection may be suspended, or libmicrohttpd aborts the process:
    /// ``Connections/abandonHandlers()``.
    consuming func stop() async {
        // The deinit stops them; the Mutex only carries a noncopyable value into the closure.
        let daemon = Mutex<Daemon?>(self)
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                daemon.withLock { $0 = nil }
                continuation.resume()
            }
        }
    }

    deinit {
        unsafe pointers.forEach { unsafe MHD_stop_daemon($0) }
    }
}

/// MHD_AccessHandlerCallback: the first call begins an exchange, the last one answers it, and is
/// repeated after a suspension; those between have the content.
///
/// The exchange is retained here, in the first call, and released in `completed`, the one callback
/// that libmicrohttpd makes exactly once for every request that had a first call.
private func access(
    context: UnsafeMutableRawPointer?, pointer: OpaquePointer?, path: UnsafePointer<CChar>?,
    method: UnsafePointer<CChar>?, version: UnsafePointer<CChar>?,
    content: UnsafePointer<CChar>?, contentSize: UnsafeMutablePointer<Int>?,
    request: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
    guard let connection = unsafe Connection(pointer),
        let path = unsafe path, let method = unsafe method, let version = unsafe version,
        let contentSize = unsafe contentSize, let request = unsafe request
    else { return .NO }
    if unsafe cmhd_is_new(request.pointee) {
        let query = unsafe cmhd_reveal_query(path, request.pointee)
        let head = unsafe connection.head(method, path, query, version)
        let exchange = Exchange(head, server: connection.record.server)
        unsafe request.pointee = Unmanaged.passRetained(exchange).toOpaque()
        return exchange.begin(on: connection) ? .YES : .NO
    }
    guard let exchange = unsafe request.pointee else { return .NO }
    return unsafe Unmanaged<Exchange>.fromOpaque(exchange)._withUnsafeGuaranteedRef { exchange in
        let size = unsafe contentSize.pointee
        // A request that expects 100 Continue can have content of no bytes: not yet the end.
        if unsafe content != nil {
            // Content of a request has no meaning to any handler (RFC 9110 §9.3.1).
            unsafe contentSize.pointee = 0
            return exchange.discard(size, on: connection)
        }
        return exchange.proceed(on: connection)
    } ? .YES : .NO
}

/// MHD_RequestCompletedCallback: the end of the exchange.
private func completed(
    context: UnsafeMutableRawPointer?, connection: OpaquePointer?,
    request: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, code: MHD_RequestTerminationCode
) {
    guard let connection = unsafe connection,
        let request = unsafe request, let exchange = unsafe request.pointee
    else { return }
    // It did not get as far as the access handler: libmicrohttpd has rejected it, or its client has
    // left before there was a request.
    if unsafe cmhd_is_new(exchange) { return }
    let ending: AccessRecord.Ending =
        switch code {
        case .REQUEST_TERMINATED_COMPLETED_OK: .answered
        case .REQUEST_TERMINATED_DAEMON_SHUTDOWN: .cutOff
        default: .clientLeft
        }
    unsafe request.pointee = nil
    unsafe Unmanaged<Exchange>.fromOpaque(exchange).takeRetainedValue()
        .end(ending, status: Int(cmhd_status(connection)))
    // Only now, since a server that shuts down waits for the record of the exchange as well.
    unsafe Connection(connection)?.record.enter(.idle)
}

/// MHD_NotifyConnectionCallback: the record is retained here at the beginning, and released at the end.
private func connectionChanged(
    context: UnsafeMutableRawPointer?, connection: OpaquePointer?,
    socketContext: UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
    code: MHD_ConnectionNotificationCode
) {
    guard let context = unsafe context, let connection = unsafe connection,
        let socketContext = unsafe socketContext
    else { return }
    // It outlives the daemon that makes the callback.
    let server = unsafe Unmanaged<Server>.fromOpaque(context).takeUnretainedValue()
    switch code {
    case .CONNECTION_NOTIFY_STARTED:
        let record = unsafe server.connections.insert(cmhd_descriptor(connection), server)
        cmhdf_serve(record.descriptor)
        unsafe socketContext.pointee = Unmanaged.passRetained(record).toOpaque()
    case .CONNECTION_NOTIFY_CLOSED:
        guard let context = unsafe socketContext.pointee else { return }
        let record = unsafe Unmanaged<ConnectionRecord>.fromOpaque(context).takeRetainedValue()
        // Or else the kernel resets the connection, and drops what it has not sent yet.
        cmhd_discard_input(record.descriptor)
        cmhdf_end_serving(record.descriptor)
        server.connections.remove(record)
    }
}
