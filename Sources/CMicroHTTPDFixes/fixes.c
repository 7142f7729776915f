// A fix for a bug of libmicrohttpd, from outside.

#define _GNU_SOURCE
#include "CMicroHTTPDFixes.h"

#include <stddef.h>
#include <sys/epoll.h>

// libmicrohttpd asks for 128 events, and where it gets as many it asks for more before it looks at
// any of them, and waits for as long as it would with nothing to do (0.9.75, daemon.c:4996; 1.0.1,
// 5613). So exactly 128 clients at once, or 256, would wait until something else happens. It never
// gets 128: a definition in the executable stands before the C library's.
int epoll_wait(int descriptor, struct epoll_event *events, int count, int milliseconds)
{
    return epoll_pwait(
        descriptor, events, count < CMHDF_EVENTS ? count : CMHDF_EVENTS, milliseconds, NULL);
}
