// Which thread waits for the sockets of a session.
//
// libdispatch waits for the descriptor of a source on a thread of its own. Whenever it is ready,
// that thread wakes up and wakes the thread of the source's queue, which runs the handler and wakes
// the first one again, to wait anew. With 8 calls at once that is a fifth of what a call costs.
//
// Here, after an event, the thread of the queue waits for the next one itself, for PATIENCE at
// most: the threads of a busy session do not wake one another, and a call that takes longer holds
// no thread. Meanwhile nothing else runs on the queue. So the wait is the last block there, and is
// over as soon as dispatch_async has added another one. While a thread is in dispatch_sync, or there
// are other sessions, which share the queue, libdispatch waits.
//
// libdispatch's source is for an epoll set that contains that of the session, and asks for none of
// its events while the queue waits.

#define _GNU_SOURCE
#include "functions.h"

#include "CFoundationNetworkingFixes.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    PATIENCE = 10,  // milliseconds
};

// ThreadSanitizer has definitions of its own, which it needs to see.
__attribute__((weak)) void __interceptor_dispatch_async(void *queue, void *block);
__attribute__((weak)) void __interceptor_dispatch_source_set_event_handler(void *, void *);

// How many blocks have been added, to whatever queue, and how many threads are in dispatch_sync.
static atomic_uint blockCount;
static atomic_int syncCount;

// Whether Swift's calls of libdispatch reach this file.
static atomic_bool isCalled;

// Whether a thread waits, and the descriptor that ends it.
static atomic_bool isWaiting;
static int wakeUp = -1;

static void end_wait(void)
{
    // Either this sees that the thread waits, or the thread sees the new count.
    if (atomic_load(&isWaiting))
        eventfd_write(wakeUp, 1);
}

void note_block(void)
{
    atomic_fetch_add(&blockCount, 1);
    end_wait();
}

void begin_sync(void)
{
    atomic_fetch_add(&syncCount, 1);
    end_wait();
}

void end_sync(void)
{
    atomic_fetch_sub(&syncCount, 1);
}

// Of the whole process.
void dispatch_async(void *queue, void *block)
{
    if (!atomic_load_explicit(&isCalled, memory_order_relaxed))
        atomic_store_explicit(&isCalled, true, memory_order_relaxed);
    if (__interceptor_dispatch_async != NULL) {
        __interceptor_dispatch_async(queue, block);
    } else {
        // Another library may call it before find_functions has run.
        if (next.async == NULL)
            next.async = (void (*)(void *, void *)) dlsym(RTLD_NEXT, "dispatch_async");
        next.async(queue, block);
    }
    note_block();
}

// Of the whole process.
void dispatch_source_set_event_handler(void *source, void *block)
{
    block = note_handler(source, block);
    if (__interceptor_dispatch_source_set_event_handler != NULL)
        return __interceptor_dispatch_source_set_event_handler(source, block);
    if (next.set_handler == NULL)
        next.set_handler = (void (*)(void *, void *)) dlsym(
            RTLD_NEXT, "dispatch_source_set_event_handler");
    next.set_handler(source, block);
}

static void open_wake_up(void)
{
    wakeUp = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

void open_wait(Set *set)
{
    set->descriptor = set->epoll;
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (areWaitsActive)
        pthread_once(&once, open_wake_up);
    int descriptor = areWaitsActive && wakeUp >= 0 ? epoll_create1(EPOLL_CLOEXEC) : -1;
    if (descriptor < 0)
        return;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = wakeUp};
    if (epoll_ctl(set->epoll, EPOLL_CTL_ADD, wakeUp, &event) == 0
        && epoll_ctl(descriptor, EPOLL_CTL_ADD, set->epoll, &event) == 0)
        set->descriptor = descriptor;
    else
        close(descriptor);
}

bool can_wait(const Set *set)
{
    return set->descriptor != set->epoll && set->handler != NULL && set->target != NULL
        && atomic_load_explicit(&isCalled, memory_order_relaxed);
}

// Cannot fail: the set of the session stays in that of the source.
static void watch_set(const Set *set, uint32_t events)
{
    struct epoll_event event = {.events = events};
    epoll_ctl(set->descriptor, EPOLL_CTL_MOD, set->epoll, &event);
}

static bool may_wait(const Set *set)
{
    return is_only(set) && atomic_load(&syncCount) == 0;
}

static void wait_in_queue(void *context);

static void add_wait(Set *set)
{
    set->blockCount = atomic_load(&blockCount);
    dispatch_async_f(set->target, set, wait_in_queue);
}

static void wait_in_queue(void *context)
{
    Set *set = context;
    if (set->isClosed)
        return close_set(set);
    atomic_store(&isWaiting, true);
    bool isLast = atomic_load(&blockCount) == set->blockCount, mayWait = may_wait(set);
    int patience = isLast && mayWait ? PATIENCE : 0;
    set->eventCount = epoll_wait(set->epoll, set->events, EVENT_COUNT, patience);
    atomic_store(&isWaiting, false);
    bool isOver = !mayWait || (isLast && set->eventCount <= 0);
    if (set->eventCount > 0)
        ((struct Block *) set->handler)->invoke(set->handler);
    set->eventCount = 0;
    if (!isOver)
        return add_wait(set);
    set->isInQueue = false;
    watch_set(set, EPOLLIN);
}

int take_events(Set *set)
{
    if (!set->isInQueue)
        set->eventCount = epoll_wait(set->epoll, set->events, EVENT_COUNT, 0);
    if (!set->isInQueue && can_wait(set) && may_wait(set)) {
        set->isInQueue = true;
        watch_set(set, 0);
        add_wait(set);
    }
    int count = 0;
    for (int i = 0; i < set->eventCount; i += 1) {
        eventfd_t number;
        if (wakeUp >= 0 && set->events[i].data.fd == wakeUp)
            eventfd_read(wakeUp, &number);
        else
            set->events[count++] = set->events[i];
    }
    set->eventCount = 0;
    return count;
}
