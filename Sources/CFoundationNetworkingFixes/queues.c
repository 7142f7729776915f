// On which thread a call starts.
//
// URLSession does all its work on one serial queue. A thread that makes a task and resumes it waits
// for the queue: dataTask(with:) and resume() call dispatch_sync, so the thread goes to sleep until
// another one has woken up, worked and woken it again. With 64 calls at once that is 151 us of a
// call.
//
// Here calls start on that queue itself (cfnf_async), many of them in one go. It is reached by the
// queue that URLSession gives to the source of a session's epoll set (sockets.c). Code that runs on
// it holds the queue already, and waiting for it again would be a deadlock: libdispatch ends the
// process. So in a block of cfnf_async, on that thread and until it returns, dispatch_sync calls
// its block in place: nobody else can hold the queues that URLSession asks for, which all lead to
// this one, or belong to a task that nobody else knows yet.

#define _GNU_SOURCE
#include "functions.h"

#include "CFoundationNetworkingFixes.h"

#include <dlfcn.h>
#include <stdatomic.h>

// ThreadSanitizer has a definition of its own, which it needs to see.
__attribute__((weak)) void __interceptor_dispatch_sync(void *queue, void *block);

// Of the session that was made last.
static _Atomic(void *) sessionQueue;

// Whether Swift's calls of libdispatch reach this file.
static atomic_bool isCalled;

static _Thread_local bool isOnQueue;

void use_queue(void *queue)
{
    dispatch_retain(queue);
    void *last = atomic_exchange(&sessionQueue, queue);
    if (last != NULL)
        dispatch_release(last);
}

static void run(void *context)
{
    struct Block *block = context;
    isOnQueue = true;
    block->invoke(block);
    isOnQueue = false;
    _Block_release(block);
}

bool cfnf_starts_on_queue(void)
{
    return atomic_load_explicit(&isCalled, memory_order_relaxed)
        && atomic_load_explicit(&sessionQueue, memory_order_relaxed) != NULL;
}

bool cfnf_async(CFNFBlock block)
{
    if (!cfnf_starts_on_queue())
        return false;
    dispatch_async_f(atomic_load(&sessionQueue), _Block_copy((const void *) block), run);
    note_block();
    return true;
}

// Of the whole process.
void dispatch_sync(void *queue, void *block)
{
    if (isOnQueue)
        return ((struct Block *) block)->invoke(block);
    if (!atomic_load_explicit(&isCalled, memory_order_relaxed))
        atomic_store_explicit(&isCalled, true, memory_order_relaxed);
    // Another library may call it before find_functions has run.
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
