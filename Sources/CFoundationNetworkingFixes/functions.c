// Fixes for bugs of FoundationNetworking 6.3, from outside.
//
// URLSession reaches libcurl through C functions that libFoundationNetworking.so calls by way of
// its PLT, so that a definition in the executable stands before each of them. They serve every
// URLSession of the process, which here is EchoClient's alone: it calls one configured host and
// asks for nothing of an answer but its status and its body.
//
// - answers.c: what an answer may be, how long it may go on and how large it may get
// - connections.c: where a call goes
// - sockets.c: how a session waits for its sockets
//
// Issue numbers are those of swiftlang/swift-corelibs-foundation; "none" means that no release has
// a fix yet. This file finds the functions that the others stand before.

#define _GNU_SOURCE
#include "functions.h"

#include "CFoundationNetworkingFixes.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

struct Next next;
bool isActive;
bool isEpollActive;

// Finds the definition that is not here.
static bool find(const char *name, void *function)
{
    void *found = dlsym(RTLD_NEXT, name);
    memcpy(function, &found, sizeof found);
    return found != NULL;
}

// The same where there is one here. Another one would come first if the executable did not export
// its own.
static bool stand_before(const char *name, void *function)
{
    return find(name, function) && dlsym(RTLD_DEFAULT, name) != dlsym(RTLD_NEXT, name);
}

__attribute__((constructor)) static void find_functions(void)
{
    isActive = stand_before("CFURLSessionEasyHandleInit", &next.init)
        && stand_before("CFURLSessionEasyHandleDeinit", &next.deinit)
        && stand_before("CFURLSession_easy_setopt_ptr", &next.setopt_ptr)
        && stand_before("CFURLSession_easy_setopt_wc", &next.setopt_wc)
        && stand_before("CFURLSession_easy_setopt_tc", &next.setopt_tc)
        && stand_before("CFURLSession_easy_setopt_long", &next.setopt_long)
        && stand_before("CFURLSession_easy_getinfo_double", &next.getinfo_double)
        && stand_before("CFURLSessionMultiHandleInfoRead", &next.info_read)
        && stand_before("CFURLSession_multi_setopt_sf", &next.multi_setopt_sf)
        && find("CFURLSession_easy_getinfo_charp", &next.getinfo_charp);
    bool isComplete = stand_before("CFURLSession_multi_setopt_ptr", &next.multi_setopt_ptr)
        && stand_before("CFURLSessionMultiHandleAssign", &next.multi_assign)
        && stand_before("CFURLSessionMultiHandleAction", &next.multi_action)
        && stand_before("CFURLSessionMultiHandleDeinit", &next.multi_deinit)
        && stand_before("dispatch_source_create", &next.source_create)
        && find("dispatch_source_set_cancel_handler_f", &next.source_set_cancel_handler)
        && find("dispatch_source_cancel", &next.source_cancel)
        && find("dispatch_set_context", &next.set_context)
        && find("dispatch_retain", &next.dispatch_retain)
        && find("dispatch_release", &next.dispatch_release)
        && find("swift_release", &next.swift_release);
    // For tests of what happens where one of them is missing.
    isEpollActive = isActive && isComplete && getenv("CFNF_WITHOUT_EPOLL") == NULL;
}

bool cfnf_are_active(void)
{
    return isActive;
}

bool cfnf_use_epoll(void)
{
    return isEpollActive;
}
