import CMicroHTTPD
import CMicroHTTPDFixes
import HTTPTypes

/// A connection inside one of libmicrohttpd's callbacks, on libmicrohttpd's thread.
///
/// It is borrowed for the callback: nothing here may keep it, and none of it escapes.
@safe struct Connection: ~Copyable {
    private let pointer: OpaquePointer

    /// What is noted about it.
    let record: ConnectionRecord

    /// Nil for another daemon's: `connectionChanged` gives each of ours its record first of all.
    init?(_ pointer: OpaquePointer?) {
        guard let pointer = unsafe pointer, let context = unsafe cmhd_socket_context(pointer)
        else { return nil }
        unsafe self.pointer = pointer
        record = unsafe Unmanaged<ConnectionRecord>.fromOpaque(context).takeUnretainedValue()
    }

    /// The head of the request, copied: libmicrohttpd reuses its memory after the exchange.
    ///
    /// Only in the first call of the access handler, with that call's own arguments.
    func head(
        _ method: UnsafePointer<CChar>, _ path: UnsafePointer<CChar>,
        _ query: UnsafePointer<CChar>?, _ version: UnsafePointer<CChar>
    ) -> RequestHead {
        // Parsing a string costs more, and nearly all are this one.
        let isGet = unsafe strcmp(method, "GET") == 0
        let httpMethod = isGet ? .get : unsafe HTTPRequest.Method(String(cString: method))
        let target = unsafe RequestTarget(
            String(cString: path),
            query: query.map { query in
                unsafe [UInt8](UnsafeRawBufferPointer(start: query, count: strlen(query)))
            }, of: httpMethod)
        var section = HeaderSection()
        let isReadAsSent = unsafe withUnsafeMutablePointer(to: &section) { section in
            unsafe cmhd_read_fields(
                pointer, method, path, query, version,
                { section, name, nameSize, value, valueSize, blanks in
                    // The pointer is the one lent above, and is used before that call returns.
                    let name = unsafe UnsafeRawBufferPointer(start: name, count: nameSize)
                    let value = unsafe UnsafeRawBufferPointer(start: value, count: valueSize)
                    unsafe section?.assumingMemoryBound(to: HeaderSection.self).pointee.append(
                        name, value, blanks: blanks)
                }, section)
        }
        return unsafe RequestHead(
            method: httpMethod, target: target, headerSection: section,
            isVersion1_0: strcmp(version, MHD_HTTP_VERSION_1_0) == 0,
            size: cmhdf_offset(record.descriptor, method) + cmhd_header_size(pointer),
            isReadAsSent: isReadAsSent)
    }

    /// Sends `response` past libmicrohttpd; only in a call of the access handler before the last, or
    /// in libmicrohttpd's own rejection, which must then close the connection.
    ///
    /// - Returns: whether all of it has been handed to the system.
    func sendPast(_ response: Response, to request: Request) -> Bool {
        var head = "HTTP/1.1 \(response.status)\r\nDate: \(Self.date)\r\nConnection: close\r\n"
        forEachField(of: response, to: request) { head += "\($0): \($1)\r\n" }
        head += "Traceparent: \(request.traceContext.traceparent)\r\n"
        head += "Content-Length: \(response.body.count)\r\n\r\n"
        let bytes = Array(head.utf8) + (request.method == .head ? [] : response.body)
        return unsafe bytes.withUnsafeBytes {
            unsafe cmhd_send_past(pointer, $0.baseAddress, $0.count)
        }
    }

    /// Hands `response` to libmicrohttpd; only in the final call of the access handler, or in
    /// libmicrohttpd's own rejection.
    ///
    /// - Returns: false if libmicrohttpd does not take it; the connection must then be closed.
    func queue(_ response: Response, to request: Request, closing: Bool) -> Bool {
        let made = unsafe response.body.withUnsafeBytes { body in
            // It copies them, and changes nothing.
            unsafe MHD_create_response_from_buffer(
                body.count, UnsafeMutableRawPointer(mutating: body.baseAddress),
                .RESPMEM_MUST_COPY)
        }
        guard let made = unsafe made else { return false }
        // The queue takes a reference of its own, and the count is safe on every thread.
        defer { unsafe MHD_destroy_response(made) }
        func add(_ name: String, _ value: String) {
            // Borrowed in place; an argument of type String would be copied to the heap first.
            unsafe name.withCString { name in
                _ = unsafe value.withCString { unsafe MHD_add_response_header(made, name, $0) }
            }
        }
        forEachField(of: response, to: request, add)
        unsafe request.traceContext.text.span.withUnsafeBytes { text in
            let value = unsafe text.baseAddress?.assumingMemoryBound(to: CChar.self)
            _ = unsafe MHD_add_response_header(made, "Traceparent", value)
        }
        if closing { add("Connection", "close") }
        record.enter(.response)
        return unsafe cmhdf_queue_response(pointer, UInt32(response.status.code), made) == .YES
    }

    /// Calls `body` with the fields of a response, those of every response and `X-Request-Id`.
    private func forEachField(
        of response: Response, to request: Request,
        _ body: (_ name: String, _ value: String) -> Void
    ) {
        for field in response.headerFields { body(field.name.rawName, field.value) }
        for field in record.server.commonFields { body(field.name, field.value) }
        body("X-Request-Id", request.id)
    }

    /// Sends a rejection of libmicrohttpd's own in the form of the others.
    ///
    /// - Returns: false if the connection is to be closed.
    func reject(status: Int) -> Bool {
        let server = record.server
        // 500 is its word for a chunk's first line that is larger than its memory, 505 for a version.
        let status = status >= 500 ? 400 : status
        let phrase = unsafe String(cString: MHD_get_reason_phrase_for(UInt32(status)))
        let response = server.router.errorResponse(
            HTTPError(
                HTTPResponse.Status(code: status, reasonPhrase: phrase),
                details: "The request cannot be read, or is larger than the limits."))
        // In content there is an exchange, which notes it.
        if case .content(let request) = record.current.phase {
            return queue(response, to: request, closing: true)
        }
        let request = Request.unknown
        // If the header section has been read, 0.9 sends the response twice, unless the connection
        // ends.
        let isRead = unsafe cmhd_header_size(pointer) > 0
        let isSent =
            isRead
            ? sendPast(response, to: request) : queue(response, to: request, closing: true)
        server.accessLog.note(
            AccessRecord(
                request: request, route: nil, response: response, duration: .zero,
                ending: isSent ? .answered : .clientLeft))
        return !isRead && isSent
    }

    private static var date: String {
        unsafe String(unsafeUninitializedCapacity: 30) { text in
            unsafe text.withMemoryRebound(to: CChar.self) { unsafe cmhd_date($0.baseAddress) }
        }
    }

    /// Takes the connection out of the event loop until the result ends; nil if no handler may
    /// wait any more.
    ///
    /// Only in the final call of the access handler, which must then return without answering.
    func suspend(for task: HandlerTask) -> SuspendedConnection? {
        // In this order: either this sees that no handler may wait, or abandonHandlers sees the task.
        record.enter(.handler(task))
        guard record.server.connections.handlersMayWait else { return nil }
        unsafe MHD_suspend_connection(pointer)
        return unsafe SuspendedConnection(pointer)
    }
}

/// A connection that libmicrohttpd leaves alone until this value ends, on any thread.
///
/// The connection goes back to the event loop then, which calls the access handler again.
@safe struct SuspendedConnection: ~Copyable, Sendable {
    // Sendable: MHD_resume_connection is the one call that libmicrohttpd allows on any thread, and
    // nobody frees a suspended connection, for MHD_stop_daemon is not called before all are resumed
    // (Connections.abandonHandlers).
    nonisolated(unsafe) private let pointer: OpaquePointer

    fileprivate init(_ pointer: OpaquePointer) {
        unsafe self.pointer = pointer
    }

    deinit {
        unsafe MHD_resume_connection(pointer)
    }
}

extension Server {
    /// The version of the libmicrohttpd that the process runs on, such as `0.9.75`.
    public static let libraryVersion = unsafe String(cString: MHD_get_version())
}
