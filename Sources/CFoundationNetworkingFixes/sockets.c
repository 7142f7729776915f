// How a session waits for its sockets.
//
// libcurl tells URLSession which sockets to wait for, and is called when one is ready.
// URLSession makes a dispatch source for each socket of each transfer, one for input and one
// for output, and cancels both with the transfer. That costs 63 us of a call, with 64 at once, and
// has two bugs (none):
// - A connection that is reset (EPOLLHUP) can end the process. libdispatch's manager thread marks
//   the source in _dispatch_event_merge_fd and goes on to use it, while the source's queue sees the
//   mark and frees what belongs to it. Once in 80,000 calls on one machine, never in 750,000 on
//   another.
// - The source for output stays when libcurl goes on to wait for input alone, and takes a whole core
//   while a new connection waits for its answer.
//
// Here all sockets of a session are in one epoll set, and URLSession has one source, for the
// descriptor of that set, which stays and never has EPOLLHUP. When it fires, URLSession tells
// libcurl to handle "the socket", and CFURLSessionMultiHandleAction handles those that are ready.
//
// URLSession calls all these functions with `try!`, so that an error ends the process. So none
// returns one of its own: a socket that cannot be waited for is a call that times out.

#include "functions.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

// The sockets of one session.
typedef struct Set {
    struct Set *next;
    void *multi;
    // What URLSession gave for its callback.
    void *context;
    int epoll;
    // In the set as well.
    Timer timer;
    // The dispatch source for the descriptor, its queue, and URLSession's object that owns it.
    void *source, *queue, *sources;
} Set;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Set *sets;

// All multi handles have the same one.
static SocketCallback next_socket;
static TimerCallback next_timer;

// The set for which this thread makes URLSession create a source.
static _Thread_local Set *registering;

// Of the Swift runtime.
void swift_release(void *object);

static Set *set_of(void *multi)
{
    pthread_mutex_lock(&lock);
    Set *set = sets;
    while (set != NULL && set->multi != multi)
        set = set->next;
    pthread_mutex_unlock(&lock);
    return set;
}

static Set *make_set(void *multi, void *context)
{
    Set *set = calloc(1, sizeof *set);
    if (set == NULL)
        return NULL;
    set->multi = multi;
    set->context = context;
    set->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (set->epoll < 0 || !open_timer(&set->timer)) {
        if (set->epoll >= 0)
            close(set->epoll);
        free(set);
        return NULL;
    }
    struct epoll_event event = {.events = EPOLLIN, .data.fd = set->timer.descriptor};
    epoll_ctl(set->epoll, EPOLL_CTL_ADD, set->timer.descriptor, &event);
    pthread_mutex_lock(&lock);
    set->next = sets;
    sets = set;
    pthread_mutex_unlock(&lock);
    return set;
}

static Set *take_set(void *multi)
{
    pthread_mutex_lock(&lock);
    Set **place = &sets;
    while (*place != NULL && (*place)->multi != multi)
        place = &(*place)->next;
    Set *set = *place;
    if (set != NULL)
        *place = set->next;
    pthread_mutex_unlock(&lock);
    return set;
}

static void close_set(void *context)
{
    Set *set = context;
    close(set->epoll);
    close(set->timer.descriptor);
    free(set);
}

// Makes URLSession create its source, which it does before it returns.
static bool is_registered(Set *set)
{
    registering = set;
    // URLSession ignores the first argument, which must not be null.
    next_socket(set, set->epoll, POLL_IN, set->context, NULL);
    registering = NULL;
    return set->source != NULL && set->sources != NULL;
}

MultiCode CFURLSessionMultiHandleAssign(void *multi, int socket, void *sources)
{
    if (registering == NULL || socket != registering->epoll)
        return next.multi_assign(multi, socket, sources);
    registering->sources = sources;
    return (MultiCode) {CODE_OK};
}

void note_source(void *source, uintptr_t descriptor, void *queue)
{
    if (registering == NULL || descriptor != (uintptr_t) registering->epoll)
        return;
    dispatch_retain(source);
    registering->source = source;
    registering->queue = queue;
}

static int wait_in_set(void *easy, int socket, int what, void *context, void *unused)
{
    (void) unused;
    Set *set = context;
    if (what == POLL_REMOVE) {
        watch_idle(set->epoll, socket);
        return 0;
    }
    struct epoll_event event = {.data.fd = socket};
    event.events = (what & POLL_IN ? EPOLLIN : 0) | (what & POLL_OUT ? EPOLLOUT : 0);
    watch_answer(easy, socket);
    if (epoll_ctl(set->epoll, EPOLL_CTL_MOD, socket, &event) != 0 && errno == ENOENT)
        epoll_ctl(set->epoll, EPOLL_CTL_ADD, socket, &event);
    return 0;
}

static int wait_for_timer(void *multi, long milliseconds, void *context)
{
    Set *set = context;
    if (milliseconds == 0)
        return next_timer(multi, 0, set->context);
    set_timer(&set->timer, milliseconds);
    return 0;
}

// Without an epoll set: URLSession's sources, less the one for output that it forgets to cancel. A
// reset can end the process here.
static int wait_in_sources(void *easy, int socket, int what, void *context, void *sources)
{
    if (what != POLL_REMOVE)
        watch_answer(easy, socket);
    if (what == POLL_IN && sources != NULL) {
        next_socket(easy, socket, POLL_REMOVE, context, sources);
        sources = NULL;
    }
    return next_socket(easy, socket, what, context, sources);
}

MultiCode CFURLSession_multi_setopt_ptr(void *multi, MultiOption option, void *value)
{
    if (isEpollActive && option.value == MULTI_OPT_SOCKETDATA) {
        Set *set = make_set(multi, value);
        if (set != NULL)
            value = set;
    }
    return next.multi_setopt_ptr(multi, option, value);
}

// URLSession calls this after CFURLSession_multi_setopt_ptr, when it makes a session.
MultiCode CFURLSession_multi_setopt_sf(void *multi, MultiOption option, SocketCallback callback)
{
    if (!isActive)
        return next.multi_setopt_sf(multi, option, callback);
    next_socket = callback;
    Set *set = set_of(multi);
    if (set != NULL && !is_registered(set)) {
        next.multi_setopt_ptr(multi, (MultiOption) {MULTI_OPT_SOCKETDATA}, set->context);
        // The descriptors stay, for the source that there may be.
        free(take_set(multi));
        set = NULL;
    }
    if (set != NULL && isQueueActive)
        use_queue(set->queue);
    return next.multi_setopt_sf(multi, option, set != NULL ? wait_in_set : wait_in_sources);
}

// And this thereafter.
MultiCode CFURLSession_multi_setopt_tf(void *multi, MultiOption option, TimerCallback callback)
{
    Set *set = isEpollActive ? set_of(multi) : NULL;
    if (set == NULL)
        return next.multi_setopt_tf(multi, option, callback);
    next_timer = callback;
    next.multi_setopt_ptr(multi, (MultiOption) {MULTI_OPT_TIMERDATA}, set);
    return next.multi_setopt_tf(multi, option, wait_for_timer);
}

MultiCode CFURLSessionMultiHandleAction(void *multi, int socket, int mask, int *running)
{
    Set *set = isEpollActive && socket >= 0 ? set_of(multi) : NULL;
    if (set == NULL || set->epoll != socket)
        return next.multi_action(multi, socket, mask, running);
    struct epoll_event events[64];
    int count = epoll_wait(set->epoll, events, 64, 0);
    // The idle ones come first: by its turn a descriptor may be another socket. With the others
    // that does no harm, since libcurl finds out itself what a socket is ready for.
    for (int i = 0; i < count; i += 1)
        if (events[i].data.fd < 0)
            end_idle(set->epoll, ~events[i].data.fd);
    for (int i = 0; i < count; i += 1) {
        int socket = events[i].data.fd;
        if (socket >= 0 && socket != set->timer.descriptor)
            next.multi_action(multi, socket, 0, running);
        else if (socket >= 0 && is_due(&set->timer))
            next.multi_action(multi, SOCKET_TIMEOUT, 0, running);
    }
    return (MultiCode) {CODE_OK};
}

// A session has ended, and its sockets are closed.
MultiCode CFURLSessionMultiHandleDeinit(void *multi)
{
    MultiCode code = next.multi_deinit(multi);
    Set *set = take_set(multi);
    if (set == NULL)
        return code;
    // Once libdispatch has let go of the descriptor, close_set frees the set, on another thread.
    void *source = set->source, *sources = set->sources;
    dispatch_set_context(source, set);
    dispatch_source_set_cancel_handler_f(source, close_set);
    dispatch_source_cancel(source);
    dispatch_release(source);
    swift_release(sources);
    return code;
}
