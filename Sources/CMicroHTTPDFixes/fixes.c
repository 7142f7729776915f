// Fixes for bugs of libmicrohttpd, from outside.

#define _GNU_SOURCE
#include "CMicroHTTPDFixes.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/socket.h>

// libmicrohttpd asks for 128 events, and where it gets as many it asks for more before it looks at
// any of them, and waits for as long as it would with nothing to do (0.9.75, daemon.c:4996; 1.0.1,
// 5613). So exactly 128 clients at once, or 256, would wait until something else happens. It never
// gets 128: a definition in the executable stands before the C library's.
int epoll_wait(int descriptor, struct epoll_event *events, int count, int milliseconds)
{
    return epoll_pwait(
        descriptor, events, count < CMHDF_EVENTS ? count : CMHDF_EVENTS, milliseconds, NULL);
}

static atomic_bool hides_end[65536];

void cmhdf_hide_end(int descriptor, bool hides)
{
    if (descriptor >= 0 && descriptor < 65536)
        atomic_store_explicit(&hides_end[descriptor], hides, memory_order_relaxed);
}

// When a connection is resumed, libmicrohttpd reads before it asks for the response, and where it
// reads the end it closes the connection without one (0.9.75, connection.c:3766; 1.0.1, 6478). The
// client that has only ended its own side would get no answer. There is nothing to read until then.
ssize_t recv(int descriptor, void *buffer, size_t size, int flags)
{
    ssize_t count = recvfrom(descriptor, buffer, size, flags, NULL, NULL);
    if (count != 0 || size == 0 || descriptor >= 65536
        || !atomic_load_explicit(&hides_end[descriptor], memory_order_relaxed))
        return count;
    errno = EAGAIN;
    return -1;
}
