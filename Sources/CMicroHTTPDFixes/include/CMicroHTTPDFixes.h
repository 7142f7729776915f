#ifndef CMICROHTTPDFIXES_H
#define CMICROHTTPDFIXES_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

/// How many events a call of `epoll_wait` returns at most, in the whole process.
enum { CMHDF_EVENTS = 127 };

/// Makes `recv` hide the end of what a peer sends, or show it again: for a connection whose handler
/// waits. On any thread, for descriptors below 65,536.
void cmhdf_hide_end(int descriptor, bool hides);

/// Makes `recv` replace characters that libmicrohttpd would misread, until the connection is closed.
void cmhdf_serve(int descriptor);
void cmhdf_end_serving(int descriptor);

/// How far `text`, a part of a request's head, is behind the first byte that was read after the
/// request before; 0 if that is not known. On libmicrohttpd's thread.
size_t cmhdf_offset(int descriptor, const char *text);

/// How many bytes have arrived since a connection was opened.
uint64_t cmhdf_received(int descriptor);

/// Sets the callback that libmicrohttpd makes, on its own thread, when it rejects a request by
/// itself; it queues a response, or returns `MHD_NO` to close the connection.
void cmhdf_on_refusal(enum MHD_Result (*refuse)(struct MHD_Connection *, unsigned int status));

/// `MHD_queue_response`, which in the rest of the process is libmicrohttpd's own rejection.
enum MHD_Result cmhdf_queue_response(
    struct MHD_Connection *connection, unsigned int status, struct MHD_Response *response);

#endif
