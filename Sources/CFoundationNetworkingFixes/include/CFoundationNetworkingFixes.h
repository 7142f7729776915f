#ifndef CFOUNDATIONNETWORKINGFIXES_H
#define CFOUNDATIONNETWORKINGFIXES_H

#include <stdbool.h>

// Whether FoundationNetworking calls the functions of this target: all of them, or none. Linking the
// target is all it takes.
bool cfnf_are_active(void);

// Whether the sockets of a session are in one epoll set (sockets.c).
bool cfnf_use_epoll(void);

// Whether the queue of the session that was made last waits for its sockets itself (waits.c); for
// this, dispatch_async must have been called once through Swift.
bool cfnf_wait_in_queue(void);

// Whether libcurl measures the timeout of a call, and no timer of libdispatch (timers.c).
bool cfnf_keep_timers(void);

// How many milliseconds a call may take; 0 is no limit. libcurl ends it 100 ms later, if nobody else
// has. Call it before any session is made.
void cfnf_set_timeout(long milliseconds);

// Whether calls start on the queue of their session (queues.c): for this, the thread that made the
// session must have called dispatch_sync before, through Swift, and made a queue with the label
// "calls of URLSession" after it.
bool cfnf_starts_on_queue(void);

#endif
