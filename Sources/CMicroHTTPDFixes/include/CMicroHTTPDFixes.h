#ifndef CMICROHTTPDFIXES_H
#define CMICROHTTPDFIXES_H

/// How many events a call of `epoll_wait` returns at most, in the whole process.
enum { CMHDF_EVENTS = 127 };

#endif
