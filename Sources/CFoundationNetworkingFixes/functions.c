// Fixes for FoundationNetworking 6.3, from outside: of bugs, and of wasted time.
//
// URLSession reaches libcurl through C functions that libFoundationNetworking.so calls by way of
// its PLT, so that a definition in the executable replaces each of them. They serve every
// URLSession of the process, which here is EchoClient's alone: it calls one configured host and
// needs nothing of an answer but its status and its body.
//
// - answers.c: what an answer may be and how large it may get
// - lines.c, body.c: which lines and chunks of an answer are malformed
// - outcomes.c: how a call has ended
// - connections.c: where a call goes, and which connections are used again
// - addresses.c: which of several addresses is tried
// - sockets.c, sets.c: how a session waits for its sockets
// - timers.c: how long a call may take
// - queues.c: on which thread a call starts
// - waits.c: which thread waits for the sockets
// - names.c: how often the name of a host is looked up
//
// For sockets, timers and queues, functions of libdispatch are replaced too, for the whole process.
// They do as libdispatch's own do, except for calls of URLSession on a thread and at a moment that
// are marked. names.c replaces one of libc's.
//
// Issue numbers are those of swiftlang/swift-corelibs-foundation; "none" means that no release has
// a fix yet. This file finds the functions that the others replace.

#define _GNU_SOURCE
#include "functions.h"

#include "CFoundationNetworkingFixes.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

struct Next next;
bool isActive;
bool isEpollActive, areTimersActive, isQueueActive, areWaitsActive;

// Finds the original definition.
static int find(const char *name, void *function)
{
    void *found = dlsym(RTLD_NEXT, name);
    memcpy(function, &found, sizeof found);
    return found != NULL;
}

// The same where there is one here. Another one would come first if the executable did not export
// its own.
static int stand_before(const char *name, void *function)
{
    return find(name, function) && dlsym(RTLD_DEFAULT, name) != dlsym(RTLD_NEXT, name);
}

// Looks for each, even if another one is missing: it is called all the same.
__attribute__((constructor)) static void find_functions(void)
{
    isActive = stand_before("CFURLSessionEasyHandleInit", &next.init)
        & stand_before("CFURLSessionEasyHandleDeinit", &next.deinit)
        & stand_before("CFURLSession_easy_setopt_ptr", &next.setopt_ptr)
        & stand_before("CFURLSession_easy_setopt_wc", &next.setopt_wc)
        & stand_before("CFURLSession_easy_setopt_tc", &next.setopt_tc)
        & stand_before("CFURLSession_easy_setopt_long", &next.setopt_long)
        & stand_before("CFURLSession_easy_getinfo_double", &next.getinfo_double)
        & stand_before("CFURLSessionMultiHandleInfoRead", &next.info_read)
        & stand_before("CFURLSession_multi_setopt_sf", &next.multi_setopt_sf)
        & stand_before("CFURLSession_multi_setopt_l", &next.multi_setopt_l)
        & stand_before("CFURLSessionMultiHandleRemoveHandle", &next.multi_remove)
        & stand_before("CFURLSession_easy_getinfo_long", &next.getinfo_long)
        & find("CFURLSession_easy_getinfo_charp", &next.getinfo_charp);
    // The variables are for tests of what happens where a function is missing.
    isEpollActive = stand_before("CFURLSession_multi_setopt_ptr", &next.multi_setopt_ptr)
        & stand_before("CFURLSession_multi_setopt_tf", &next.multi_setopt_tf)
        & stand_before("CFURLSessionMultiHandleAssign", &next.multi_assign)
        & stand_before("CFURLSessionMultiHandleAction", &next.multi_action)
        & stand_before("CFURLSessionMultiHandleDeinit", &next.multi_deinit)
        & stand_before("dispatch_source_create", &next.source_create)
        & (isActive && getenv("CFNF_WITHOUT_EPOLL") == NULL);
    areTimersActive = stand_before("dispatch_source_set_timer", &next.source_set_timer)
        & (next.source_create != NULL && isActive && getenv("CFNF_WITHOUT_TIMERS") == NULL);
    find("CFURLSessionEasyHandleSetPauseState", &next.pause);
    find("getaddrinfo", &next.getaddrinfo);
    bool seesQueues = stand_before("dispatch_queue_create_with_target", &next.queue_create);
    isQueueActive = seesQueues & stand_before("dispatch_sync", &next.sync)
        & (isEpollActive && getenv("CFNF_WITHOUT_QUEUE") == NULL);
    areWaitsActive = seesQueues & stand_before("dispatch_async", &next.async)
        & stand_before("dispatch_source_set_event_handler", &next.set_handler)
        & (isEpollActive && getenv("CFNF_WITHOUT_WAITS") == NULL);
}

bool cfnf_are_active(void)
{
    return isActive;
}

bool cfnf_use_epoll(void)
{
    return isEpollActive;
}

bool cfnf_keep_timers(void)
{
    return areTimersActive;
}
