import CMicroHTTPD
import CMicroHTTPDFixes
import Dispatch
import Glibc
import HTTPTypes
import Synchronization

/// libmicrohttpd's memory for one connection, in bytes: its buffers and header sections.
let connectionMemory = 24 * 1024

/// The owner of one `MHD_Daemon`: its thread, its connections and its listening socket.
@safe struct Daemon: ~Copyable, Sendable {
    // Sendable: MHD_stop_daemon, the one call made with it, may be made on any thread but its own.
    nonisolated(unsafe) private let pointer: OpaquePointer
    private let socket: Socket

    /// Starts serving connections of `socket` on a thread of libmicrohttpd's own.
    ///
    /// The daemon keeps no reference to `server`, which must outlive it.
    init(socket: consuming Socket, server: Server) throws(SocketError) {
        // libmicrohttpd closes the descriptor that it is given, so it gets one of its own.
        let descriptor = try socket.duplicate()
        unsafe cmhdf_on_refusal { connection, status in
            guard let connection = unsafe connection else { return .NO }
            return unsafe Connection(connection).refuse(status: Int(status)) ? .YES : .NO
        }
        let daemon = unsafe cmhd_start(
            descriptor, server.configuration.connectionLimit,
            connectionMemory, access, completed, connectionChanged, cmhd_hide_query,
            cmhd_keep_escapes, Unmanaged.passUnretained(server).toOpaque())
        guard let daemon = unsafe daemon else {
            throw SocketError("libmicrohttpd does not start")
        }
        unsafe pointer = daemon
        self.socket = socket
    }

    /// Refuses new connections: who has connected is still served, nobody else is.
    ///
    /// Not MHD_quiesce_daemon, which can abort the process (0.9.75, daemon.c:4965 against 5546) and
    /// would leave those who wait in the backlog without an answer.
    func refuseConnections() throws(SocketError) {
        try socket.refuseConnections()
    }

    /// Whether connections wait to be accepted.
    var hasBacklog: Bool { socket.hasBacklog }

    /// Closes every connection and waits for libmicrohttpd's thread to end, on a thread that is
    /// neither that one nor one of the concurrent pool's.
    ///
    /// No exchange may be suspended, or libmicrohttpd aborts the process: ``Exchanges/close()``.
    consuming func stop() async {
        // The deinit stops it; the Mutex only carries a noncopyable value into the closure.
        let daemon = Mutex<Daemon?>(self)
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                daemon.withLock { $0 = nil }
                continuation.resume()
            }
        }
    }

    deinit {
        unsafe MHD_stop_daemon(pointer)
    }
}

/// The server behind a callback's context, which outlives the daemon that makes the callback.
private func server(_ context: UnsafeMutableRawPointer?) -> Server? {
    unsafe context.map { unsafe Unmanaged<Server>.fromOpaque($0).takeUnretainedValue() }
}

/// MHD_AccessHandlerCallback: the first call begins an exchange, the last one answers it.
///
/// The exchange is retained here, in the first call, and released in `completed`, the one callback
/// that libmicrohttpd makes exactly once for every request that had a first call.
private func access(
    context: UnsafeMutableRawPointer?, pointer: OpaquePointer?, path: UnsafePointer<CChar>?,
    method: UnsafePointer<CChar>?, version: UnsafePointer<CChar>?,
    content: UnsafePointer<CChar>?, contentSize: UnsafeMutablePointer<Int>?,
    request: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
    guard let server = unsafe server(context), let pointer = unsafe pointer,
        let path = unsafe path, let method = unsafe method,
        let contentSize = unsafe contentSize, let request = unsafe request
    else { return .NO }
    let connection = unsafe Connection(pointer)
    if unsafe cmhd_is_new(request.pointee) != 0 {
        let query = unsafe cmhd_reveal_query(path, request.pointee)
        let target = unsafe RequestTarget(
            String(cString: path),
            query: query.map { query in
                unsafe [UInt8](UnsafeRawBufferPointer(start: query, count: strlen(query)))
            })
        let exchange = unsafe Exchange(
            isReadAsSent: cmhd_is_read_as_sent(pointer, method, path, query, version) != 0,
            method: HTTPRequest.Method(String(cString: method)), target: target,
            headerSection: connection.headerSection,
            isVersion1_0: version.map { unsafe strcmp($0, MHD_HTTP_VERSION_1_0) == 0 } ?? false,
            server: server)
        unsafe request.pointee = Unmanaged.passRetained(exchange).toOpaque()
        return exchange.begin(on: connection) ? .YES : .NO
    }
    guard let exchange = unsafe request.pointee else { return .NO }
    return unsafe Unmanaged<Exchange>.fromOpaque(exchange)._withUnsafeGuaranteedRef { exchange in
        let size = unsafe contentSize.pointee
        // Of a request that expects 100 Continue there may be content of no bytes: not yet the end.
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
    guard let server = unsafe server(context), let connection = unsafe connection,
        let request = unsafe request, let exchange = unsafe request.pointee
    else { return }
    if unsafe cmhd_is_new(exchange) != 0 {
        // The request did not get as far as the access handler: libmicrohttpd has refused it, or
        // its client has left before there was a request.
        let status = unsafe cmhd_status(connection)
        if status != 0 { server.noteRefusal(status: Int(status)) }
        return
    }
    let ending: AccessRecord.Ending =
        switch code {
        case .REQUEST_TERMINATED_COMPLETED_OK: .answered
        case .REQUEST_TERMINATED_DAEMON_SHUTDOWN: .cutOff
        default: .clientLeft
        }
    unsafe request.pointee = nil
    unsafe Connection(connection).record?.enter(.idle)
    unsafe Unmanaged<Exchange>.fromOpaque(exchange).takeRetainedValue()
        .end(ending, status: Int(cmhd_status(connection)))
}

/// MHD_NotifyConnectionCallback: the record is retained here at the beginning, and released at the end.
private func connectionChanged(
    context: UnsafeMutableRawPointer?, connection: OpaquePointer?,
    socketContext: UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
    code: MHD_ConnectionNotificationCode
) {
    guard let server = unsafe server(context), let connection = unsafe connection,
        let socketContext = unsafe socketContext
    else { return }
    switch code {
    case .CONNECTION_NOTIFY_STARTED:
        let record = unsafe ConnectionRecord(
            descriptor: cmhd_descriptor(connection), server: server)
        unsafe socketContext.pointee = Unmanaged.passRetained(record).toOpaque()
        server.connections.insert(record)
        server.metrics.connectionOpened()
    case .CONNECTION_NOTIFY_CLOSED:
        guard let context = unsafe socketContext.pointee else { return }
        let record = unsafe Unmanaged<ConnectionRecord>.fromOpaque(context).takeRetainedValue()
        server.connections.remove(record)
        server.metrics.connectionClosed()
    }
}
