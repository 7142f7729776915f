#ifndef FUNCTIONS_H
#define FUNCTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// As in CFURLSessionInterface.h, with libcurl's numbers.
typedef struct {
    int value;
} Option, Info, MultiOption, EasyCode, MultiCode;
typedef struct {
    void *easyHandle;
    EasyCode resultCode;
} MultiHandleInfo;
typedef size_t (*DataCallback)(char *data, size_t size, size_t count, void *context);
typedef int (*ProgressCallback)(
    void *context, long long total, long long now, long long sendTotal, long long sendNow);
typedef int (*SocketCallback)(void *easy, int socket, int what, void *context, void *sources);

enum {
    OPT_WRITEDATA = 10001,
    OPT_PROXY = 10004,
    OPT_HEADERDATA = 10029,
    OPT_PROGRESSDATA = 10057,
    OPT_PRIVATE = 10103,
    OPT_WRITEFUNCTION = 20011,
    OPT_HEADERFUNCTION = 20079,
    OPT_XFERINFOFUNCTION = 20219,
    OPT_NOPROGRESS = 43,
    OPT_DNS_CACHE_TIMEOUT = 92,
    OPT_QUICK_EXIT = 322,
    INFO_PRIVATE = 0x100000 + 21,
    MULTI_OPT_SOCKETDATA = 10002,
    POLL_IN = 1,
    POLL_OUT = 2,
    POLL_REMOVE = 4,
    CODE_OK = 0,
    CODE_WRITE_ERROR = 23,
    CODE_OPERATION_TIMEDOUT = 28,
    CODE_ABORTED_BY_CALLBACK = 42,
    CODE_GOT_NOTHING = 52,
};

// No other library is to find these.
#pragma GCC visibility push(hidden)

// The functions behind the ones here.
extern struct Next {
    void *(*init)(void);
    void (*deinit)(void *);
    EasyCode (*setopt_ptr)(void *, Option, void *);
    EasyCode (*setopt_wc)(void *, Option, DataCallback);
    EasyCode (*setopt_tc)(void *, Option, ProgressCallback);
    EasyCode (*setopt_long)(void *, Option, long);
    EasyCode (*getinfo_double)(void *, Info, double *);
    EasyCode (*getinfo_charp)(void *, Info, char **);
    MultiHandleInfo (*info_read)(void *, int *);
    MultiCode (*multi_setopt_sf)(void *, MultiOption, SocketCallback);
    // For an epoll set.
    MultiCode (*multi_setopt_ptr)(void *, MultiOption, void *);
    MultiCode (*multi_assign)(void *, int, void *);
    MultiCode (*multi_action)(void *, int, int, int *);
    MultiCode (*multi_deinit)(void *);
    void *(*source_create)(const void *, uintptr_t, uintptr_t, void *);
    void (*source_set_cancel_handler)(void *, void (*)(void *));
    void (*source_cancel)(void *);
    void (*set_context)(void *, void *);
    void (*dispatch_retain)(void *);
    void (*dispatch_release)(void *);
    void (*swift_release)(void *);
} next;

// All or nothing: in a Foundation that lacks one of them, everything stays as it is.
extern bool isActive;

// The same for those of an epoll set; where one is missing, sockets have their sources.
extern bool isEpollActive;

// Gives a new handle its answer, and takes it when the handle has gone.
void begin_answer(void *easy);
void *answer_of(void *easy);

// A handle waits for its answer on this socket.
void watch_answer(void *easy, int socket);

#pragma GCC visibility pop

#endif
