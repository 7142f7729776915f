import CMicroHTTPD
import HTTPTypes

/// A connection inside one of libmicrohttpd's callbacks, on libmicrohttpd's thread.
///
/// It is lent for the length of the callback: nothing here may keep it, and none of it escapes.
@safe struct Connection: ~Copyable {
    private let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) {
        unsafe self.pointer = pointer
    }

    /// The header section, copied: libmicrohttpd reuses its memory after the exchange.
    var headerFields: HTTPFields {
        var fields = HTTPFields()
        unsafe withUnsafeMutablePointer(to: &fields) { fields in
            _ = unsafe MHD_get_connection_values(
                pointer, .HEADER_KIND,
                { fields, _, name, value in
                    if let name = unsafe name,
                        let name = unsafe HTTPField.Name(String(cString: name))
                    {
                        let value = unsafe value.map { unsafe String(cString: $0) } ?? ""
                        // The pointer is the one lent above; MHD calls this before it returns.
                        unsafe fields?.assumingMemoryBound(to: HTTPFields.self).pointee
                            .append(HTTPField(name: name, value: value))
                    }
                    return .YES
                }, fields)
        }
        return fields
    }

    /// Hands `response` to libmicrohttpd; only in the final call of the access handler.
    ///
    /// - Returns: false if libmicrohttpd does not take it; the connection must then be closed.
    func queue(_ response: Response, to request: Request, closing: Bool) -> Bool {
        let made = unsafe response.body.withUnsafeBytes { body in
            unsafe cmhd_response(body.baseAddress, body.count)
        }
        guard let made = unsafe made else { return false }
        // The queue takes a reference of its own, and the count is safe on every thread.
        defer { unsafe MHD_destroy_response(made) }
        func add(_ name: String, _ value: String) {
            // Lent as they are; an argument of type String would be copied to the heap first.
            unsafe name.withCString { name in
                _ = unsafe value.withCString { unsafe MHD_add_response_header(made, name, $0) }
            }
        }
        for field in response.headerFields { add(field.name.rawName, field.value) }
        add(HTTPField.Name.xRequestID.rawName, request.id)
        add(HTTPField.Name.traceparent.rawName, request.traceContext.traceparent)
        if closing { add("Connection", "close") }
        return unsafe MHD_queue_response(pointer, UInt32(response.status.code), made) == .YES
    }

    /// Takes the connection out of the event loop until the result is resumed.
    ///
    /// Only in the final call of the access handler, which must then return without answering.
    func suspend() -> SuspendedConnection {
        unsafe MHD_suspend_connection(pointer)
        return unsafe SuspendedConnection(pointer)
    }
}

extension Server {
    /// The version of the libmicrohttpd that the process runs on, such as `0.9.75`.
    public static let libraryVersion = unsafe String(cString: MHD_get_version())
}

/// A connection that libmicrohttpd leaves alone until it is resumed, by any thread, once.
@safe struct SuspendedConnection: ~Copyable, Sendable {
    // Sendable: MHD_resume_connection is the one call that libmicrohttpd allows on any thread, and
    // a suspended connection is freed by no one, for MHD_stop_daemon is not called before all are
    // resumed (Exchanges.close).
    nonisolated(unsafe) private let pointer: OpaquePointer

    fileprivate init(_ pointer: OpaquePointer) {
        unsafe self.pointer = pointer
    }

    /// Gives the connection back to the event loop, which calls the access handler again.
    consuming func resume() {
        unsafe MHD_resume_connection(pointer)
    }
}
