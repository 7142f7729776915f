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

#define _GNU_SOURCE
#include "answers.h"

#include "CFoundationNetworkingFixes.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>

// Whether the queue of the session that was made last can wait.
static atomic_bool doesWait;

bool cfnf_wait_in_queue(void)
{
    return doesWait;
}

// All multi handles have the same one.
static SocketCallback next_socket;
static TimerCallback next_timer;

// The set for which this thread makes URLSession create a source.
static _Thread_local Set *registering;

// Of the Swift runtime.
void swift_release(void *object);

// Makes URLSession create its source, which it does before it returns.
static bool is_registered(Set *set)
{
    registering = set;
    // URLSession ignores the first argument, which must not be null.
    next_socket(set, set->descriptor, POLL_IN, set->context, NULL);
    registering = NULL;
    return set->source != NULL && set->sources != NULL;
}

MultiCode CFURLSessionMultiHandleAssign(void *multi, int socket, void *sources)
{
    if (registering == NULL || socket != registering->descriptor)
        return next.multi_assign(multi, socket, sources);
    registering->sources = sources;
    return (MultiCode) {CODE_OK};
}

void note_source(void *source, uintptr_t descriptor, void *queue)
{
    if (registering == NULL || descriptor != (uintptr_t) registering->descriptor)
        return;
    dispatch_retain(source);
    registering->source = source;
    registering->queue = queue;
    registering->target = target_of(queue);
}

// Of the whole process: it only looks. A source's handler is a DispatchWorkItem, which may be
// performed 2^32 times: it counts, and then libdispatch ends the process (none). So it is the block
// in the item that is performed.
void *dispatch_block_create_with_qos_class(
    unsigned long flags, unsigned class, int priority, void *block)
{
    static void *(*_Atomic next_create)(unsigned long, unsigned, int, void *);
    if (next_create == NULL)
        next_create = (void *(*)(unsigned long, unsigned, int, void *)) dlsym(
            RTLD_NEXT, "dispatch_block_create_with_qos_class");
    void *item = next_create(flags, class, priority, block);
    if (registering != NULL && registering->item == NULL) {
        registering->item = item;
        registering->handler = _Block_copy(block);
    }
    return item;
}

void *note_handler(void *source, void *block)
{
    if (registering == NULL || source != registering->source)
        return block;
    if (registering->item != block)
        registering->handler = _Block_copy(block);
    return registering->handler;
}

static int wait_in_set(void *easy, int socket, int what, void *context, void *unused)
{
    (void) unused;
    Set *set = context;
    note_wait(easy, socket, what);
    if (what == POLL_REMOVE) {
        watch_idle(set->epoll, socket);
        return 0;
    }
    struct epoll_event event = {.data.fd = socket};
    event.events = (what & POLL_IN ? EPOLLIN : 0) | (what & POLL_OUT ? EPOLLOUT : 0);
    watch_answer(easy, socket);
    note_use(socket);
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
    doesWait = set != NULL && can_wait(set);
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

static void end_all_idle(const Set *set, const struct epoll_event *events, int count)
{
    for (int i = 0; i < count; i += 1)
        if (events[i].data.fd < 0)
            end_idle(set->epoll, ~events[i].data.fd);
}

// Before a call begins on an idle connection that has bytes by now. (CMicroHTTPDFixes limits what
// epoll_wait returns.)
static void look_at_idle(const Set *set)
{
    struct epoll_event ready[1024];
    end_all_idle(set, ready, epoll_pwait(set->epoll, ready, 1024, 0, NULL));
}

MultiCode CFURLSessionMultiHandleAction(void *multi, int socket, int mask, int *running)
{
    Set *set = isEpollActive ? set_of(multi) : NULL;
    if (set == NULL || set->descriptor != socket) {
        if (set != NULL && socket == SOCKET_TIMEOUT)
            look_at_idle(set);
        return multi_action(multi, socket, mask, running);
    }
    struct epoll_event *events = set->events;
    int count = take_events(set);
    // First: by its turn a descriptor may be another socket. With the others that does no harm:
    // libcurl finds out itself that a socket is not ready. But whichever is handled, calls that have
    // just been added begin.
    end_all_idle(set, events, count);
    // One more may have been waits.c's.
    if (count >= EVENT_COUNT - 1)
        look_at_idle(set);
    for (int i = 0; i < count; i += 1) {
        int socket = events[i].data.fd;
        if (socket >= 0 && socket != set->timer.descriptor)
            multi_action(multi, socket, events[i].events == EPOLLIN ? SELECT_IN : 0, running);
        else if (socket >= 0 && is_due(&set->timer))
            multi_action(multi, SOCKET_TIMEOUT, 0, running);
    }
    return (MultiCode) {CODE_OK};
}

// A session has ended, and its sockets are closed.
MultiCode CFURLSessionMultiHandleDeinit(void *multi)
{
    // Before another session can have a multi handle at this address.
    Set *set = take_set(multi);
    MultiCode code = next.multi_deinit(multi);
    if (set == NULL)
        return code;
    // Once libdispatch has let go of the descriptor, close_set frees the set, on its queue.
    void *source = set->source, *sources = set->sources;
    dispatch_set_context(source, set);
    dispatch_source_set_cancel_handler_f(source, close_set);
    dispatch_source_cancel(source);
    dispatch_release(source);
    swift_release(sources);
    return code;
}
