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

// How many milliseconds libcurl gives a transfer that is started from now on; 0 is no limit. Call
// it before any session is made.
void cfnf_set_timeout(long milliseconds);

// A block, which only Swift sees as one.
#if __BLOCKS__
typedef void (^CFNFBlock)(void);
#else
typedef void *CFNFBlock;
#endif

// Whether cfnf_async works (queues.c): for this, a session must have been made, and dispatch_sync
// been called once through Swift.
bool cfnf_starts_on_queue(void);

// Runs a block on the queue of the session that was made last, where it may call URLSession's
// functions without waiting; false if that cannot be done.
bool cfnf_async(CFNFBlock block);

#endif
