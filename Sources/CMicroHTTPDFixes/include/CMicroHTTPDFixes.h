#ifndef CMICROHTTPDFIXES_H
#define CMICROHTTPDFIXES_H

#include <stdbool.h>

/// How many events a call of `epoll_wait` returns at most, in the whole process.
enum { CMHDF_EVENTS = 127 };

/// Has `recv` hide the end of what a peer sends, or no longer: for a connection whose handler
/// waits. On any thread, for descriptors below 65,536.
void cmhdf_hide_end(int descriptor, bool hides);

#endif
