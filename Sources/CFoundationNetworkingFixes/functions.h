#ifndef FUNCTIONS_H
#define FUNCTIONS_H

#include "dispatch.h"

#include <netdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

// As in CFURLSessionInterface.h, with libcurl's numbers.
typedef struct { int value; } Option, Info, MultiOption, EasyCode, MultiCode;
typedef struct {
    void *easyHandle;
    EasyCode resultCode;
} MultiHandleInfo;
typedef size_t (*DataCallback)(char *data, size_t size, size_t count, void *context);
typedef int (*ProgressCallback)(
    void *context, long long total, long long now, long long sendTotal, long long sendNow);
typedef int (*SocketCallback)(void *easy, int socket, int what, void *context, void *sources);
typedef int (*TimerCallback)(void *multi, long milliseconds, void *context);
typedef int (*GetAddresses)(
    const char *, const char *, const struct addrinfo *, struct addrinfo **);

enum {
    OPT_WRITEDATA = 10001,
    OPT_PROXY = 10004,
    OPT_ERRORBUFFER = 10010,
    OPT_HEADERDATA = 10029,
    OPT_PROGRESSDATA = 10057,
    OPT_PRIVATE = 10103,
    OPT_PREREQDATA = 10313,
    OPT_WRITEFUNCTION = 20011,
    OPT_HEADERFUNCTION = 20079,
    OPT_XFERINFOFUNCTION = 20219,
    OPT_PREREQFUNCTION = 20312,
    OPT_NOPROGRESS = 43,
    OPT_FRESH_CONNECT = 74,
    OPT_FORBID_REUSE = 75,
    OPT_DNS_CACHE_TIMEOUT = 92,
    OPT_TIMEOUT_MS = 155,
    OPT_HTTP_TRANSFER_DECODING = 157,
    OPT_HTTP_CONTENT_DECODING = 158,
    OPT_QUICK_EXIT = 322,
    INFO_PRIVATE = 0x100000 + 21,
    INFO_REQUEST_SIZE = 0x200000 + 12,
    INFO_OS_ERRNO = 0x200000 + 25,
    INFO_NUM_CONNECTS = 0x200000 + 26,
    INFO_LASTSOCKET = 0x200000 + 29,
    MULTI_OPT_MAXCONNECTS = 6,
    MULTI_OPT_MAX_HOST_CONNECTIONS = 7,
    MULTI_OPT_SOCKETDATA = 10002,
    MULTI_OPT_TIMERDATA = 10005,
    // In place of a socket, when libcurl's timer has fired.
    SOCKET_TIMEOUT = -1,
    // That it can be read; 0 makes libcurl ask the kernel.
    SELECT_IN = 1,
    POLL_IN = 1,
    POLL_OUT = 2,
    POLL_REMOVE = 4,
    CODE_OK = 0,
    CODE_COULDNT_CONNECT = 7,
    CODE_PARTIAL_FILE = 18,
    CODE_WRITE_ERROR = 23,
    CODE_ABORTED_BY_CALLBACK = 42,
    CODE_GOT_NOTHING = 52,
    CODE_SEND_ERROR = 55,
    CODE_RECV_ERROR = 56,
};

// Hidden from other libraries.
#pragma GCC visibility push(hidden)

// The originals of the functions replaced here.
extern struct Next {
    void *(*init)(void);
    void (*deinit)(void *);
    EasyCode (*setopt_ptr)(void *, Option, void *);
    EasyCode (*setopt_wc)(void *, Option, DataCallback);
    EasyCode (*setopt_tc)(void *, Option, ProgressCallback);
    EasyCode (*setopt_long)(void *, Option, long);
    EasyCode (*getinfo_double)(void *, Info, double *);
    EasyCode (*getinfo_charp)(void *, Info, char **);
    EasyCode (*getinfo_long)(void *, Info, long *);
    MultiHandleInfo (*info_read)(void *, int *);
    MultiCode (*multi_setopt_sf)(void *, MultiOption, SocketCallback);
    MultiCode (*multi_setopt_l)(void *, MultiOption, long);
    // For an epoll set.
    MultiCode (*multi_setopt_ptr)(void *, MultiOption, void *);
    MultiCode (*multi_setopt_tf)(void *, MultiOption, TimerCallback);
    MultiCode (*multi_assign)(void *, int, void *);
    MultiCode (*multi_action)(void *, int, int, int *);
    MultiCode (*multi_deinit)(void *);
    MultiCode (*multi_remove)(void *, void *);
    EasyCode (*pause)(void *, int, int);
    void *(*source_create)(const void *, uintptr_t, uintptr_t, void *);
    // For timers.
    void (*source_set_timer)(void *, uint64_t, uint64_t, uint64_t);
    // For the queue.
    void (*sync)(void *, void *);
    void *(*queue_create)(const char *, void *, void *);
    // For waits.
    void (*async)(void *, void *);
    void (*set_handler)(void *, void *);
    // For names.
    GetAddresses getaddrinfo;
} next;

// All or nothing: in a Foundation that lacks one of them, nothing changes.
extern bool isActive;

// The same for the parts that save time or a rare crash. The queue and the waits need the epoll set.
extern bool isEpollActive, areTimersActive, isQueueActive, areWaitsActive;

// A handle waits for this socket, or no longer.
void note_wait(void *easy, int socket, int what);
// Calls libcurl, and then makes it look again at handles that have lost a socket before it connected.
MultiCode multi_action(void *multi, int socket, int mask, int *running);

// How many bytes a connection has received since it was opened.
uint64_t received(int socket);

// A handle that was made at this time has ended without a line of its answer.
void note_silence(void *easy, uint64_t start);

// Watches an idle connection for unsolicited bytes, until it is used, and makes libcurl close one
// that has them.
void watch_idle(int epoll, int socket);
void note_use(int socket);
// A transfer has ended before libcurl waited for its connection.
void note_short_use(void *easy);
void end_idle(int epoll, int socket);

// How many milliseconds a call may take in all, and how many there may be; 0 is no limit.
extern long callTimeout, callLimit;

// A dispatch source has been made for a timer or a descriptor, or is given a handler: the result.
void note_timer(void *source, void *queue);
void note_source(void *source, uintptr_t descriptor, void *queue);
void *note_handler(void *source, void *block);

// The timer that libcurl asks for: a descriptor, readable when it may be due.
typedef struct {
    int descriptor;
    // In nanoseconds of CLOCK_MONOTONIC; 0 is never. It is set for `armed`, which is not later than
    // `wanted`.
    uint64_t wanted, armed;
} Timer;

// CLOCK_MONOTONIC in nanoseconds.
uint64_t now(void);

bool open_timer(Timer *timer);
void set_timer(Timer *timer, long milliseconds);
// Whether it was due; it waits again if not.
bool is_due(Timer *timer);

// The calls of the session that this thread is making start on this queue.
void use_queue(void *queue);

// As many as are handled before other blocks have their turn.
enum { EVENT_COUNT = 16 };

// The sockets of one session.
typedef struct Set {
    struct Set *next;
    void *multi;
    // What URLSession gave for its callback.
    void *context;
    int epoll;
    // In the set as well.
    Timer timer;
    // libdispatch's source for `descriptor`, its queue, and URLSession's object that owns it.
    void *source, *queue, *sources;
    // Readable when the set is, unless the queue waits.
    int descriptor;
    // The handler of the source, its work item, and the target of its queue, where the wait is.
    void *handler, *item, *target;
    // Whether a wait is on the queue, and how many blocks there had been before it.
    bool isInQueue;
    unsigned blockCount;
    // Whether the session has ended since.
    bool isClosed;
    // Sockets that are ready.
    struct epoll_event events[EVENT_COUNT];
    int eventCount;
} Set;

// The set of a multi handle; NULL if it has none.
Set *set_of(void *multi);

// Makes the set of a new multi handle; NULL if that cannot be done.
Set *make_set(void *multi, void *context);

// Takes the set of a multi handle, which the caller closes.
Set *take_set(void *multi);

// Whether there is no other one.
bool is_only(const Set *set);

// Frees it; on the queue of its source.
void close_set(void *set);

// Opens the descriptor of the source.
void open_wait(Set *set);

// Whether the queue can wait.
bool can_wait(const Set *set);

// Takes the sockets that are ready, whose number is the result, and adds a wait for the next ones.
int take_events(Set *set);

// The target of the queue that this thread has made last; NULL for any other.
void *target_of(void *queue);

// A block has been added to a queue.
void note_block(void);

// A thread waits for a queue, and does no more.
void begin_sync(void);
void end_sync(void);

#pragma GCC visibility pop

#endif
