#ifndef CFOUNDATIONNETWORKINGFIXES_H
#define CFOUNDATIONNETWORKINGFIXES_H

#include <stdbool.h>

// Whether FoundationNetworking calls the functions of this target: all of them, or none. Linking the
// target is all it takes.
bool cfnf_are_active(void);

// Whether the sockets of a session are in one epoll set (sockets.c).
bool cfnf_use_epoll(void);

// How many milliseconds libcurl may go on with a transfer that is started from now on; 0 is no limit.
// To be called before any session is made.
void cfnf_set_timeout(long milliseconds);

#endif
