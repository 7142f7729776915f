// On which thread a call starts.
//
// URLSession does all its work on one serial queue. A thread that makes a task and resumes it waits
// for the queue: dataTask(with:) and resume() call dispatch_sync, so the thread goes to sleep until
// another one has woken up, worked and woken it again. With 64 calls at once that is 151 us of a
// call.
//
// Here calls start on that queue itself, many of them in one go: it becomes the target of the queue
// with the label CALLS, on which Service B calls URLSession. It is the queue that URLSession gives to
// the source of a session's epoll set (sockets.c). Code that runs on it holds the queue already, and
// waiting for it again would be a deadlock: libdispatch ends the process. So on the queue of calls
// dispatch_sync calls its block in place: nobody else can hold the queues that URLSession asks for,
// which all lead to this one, or belong to a task that nobody else knows yet.

#define _GNU_SOURCE
#include "functions.h"

#include "CFoundationNetworkingFixes.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <string.h>

static const char CALLS[] = "calls of URLSession";

// ThreadSanitizer has a definition of its own, which it needs to see.
__attribute__((weak)) void __interceptor_dispatch_sync(void *queue, void *block);

// Whether Swift's calls of libdispatch reach this file.
static atomic_bool isCalled;

static atomic_bool doesStartOnQueue;

// Of the session that this thread has made last, until it has a queue of calls.
static _Thread_local void *sessionQueue;

// The queue that this thread has made last, and its target.
static _Thread_local void *lastQueue, *lastTarget;

void use_queue(void *queue)
{
    dispatch_retain(queue);
    if (sessionQueue != NULL)
        dispatch_release(sessionQueue);
    sessionQueue = queue;
}

bool cfnf_starts_on_queue(void)
{
    return doesStartOnQueue;
}

void *target_of(void *queue)
{
    return queue == lastQueue ? lastTarget : NULL;
}

// Of the whole process.
void *dispatch_queue_create_with_target(const char *label, void *attributes, void *target)
{
    // Another library may call it before find_functions has run.
    if (next.queue_create == NULL)
        next.queue_create = (void *(*)(const char *, void *, void *)) dlsym(
            RTLD_NEXT, "dispatch_queue_create_with_target");
    bool isOfCalls = sessionQueue != NULL && isCalled && label != NULL && strcmp(label, CALLS) == 0;
    lastTarget = isOfCalls ? sessionQueue : target;
    lastQueue = next.queue_create(label, attributes, lastTarget);
    if (isOfCalls) {
        dispatch_queue_set_specific(lastQueue, CALLS, (void *) CALLS, NULL);
        dispatch_release(sessionQueue);
        sessionQueue = NULL;
        doesStartOnQueue = true;
    }
    return lastQueue;
}

// Of the whole process.
void dispatch_sync(void *queue, void *block)
{
    if (dispatch_get_specific(CALLS) != NULL)
        return ((struct Block *) block)->invoke(block);
    if (!atomic_load_explicit(&isCalled, memory_order_relaxed))
        atomic_store_explicit(&isCalled, true, memory_order_relaxed);
    if (next.sync == NULL)
        next.sync = (void (*)(void *, void *)) dlsym(RTLD_NEXT, "dispatch_sync");
    begin_sync();
    if (__interceptor_dispatch_sync != NULL)
        __interceptor_dispatch_sync(queue, block);
    else
        next.sync(queue, block);
    end_sync();
}

// Of the whole process: it only looks.
void *dispatch_source_create(const void *type, uintptr_t handle, uintptr_t mask, void *queue)
{
    extern const char _dispatch_source_type_timer;
    if (next.source_create == NULL)
        next.source_create = (void *(*)(const void *, uintptr_t, uintptr_t, void *)) dlsym(
            RTLD_NEXT, "dispatch_source_create");
    void *source = next.source_create(type, handle, mask, queue);
    if (source != NULL && type == &_dispatch_source_type_timer)
        note_timer(source, queue);
    else if (source != NULL)
        note_source(source, handle, queue);
    return source;
}
