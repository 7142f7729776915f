// How long a call may take, and who measures that.
//
// URLSession measures a call's timeout with a timer of libdispatch, and makes it anew, four times
// a call, as parts of the answer arrive: 76 us of a call. It rarely fires, but setting and
// cancelling it is work for libdispatch's threads. The timeout counts from the last part, so that
// a slow answer can go on without an end, and takes whole seconds.
//
// libcurl has a timeout too, in milliseconds, for the whole transfer. libcurl keeps it anyway, and
// checks it between two reads as well, where an answer without an end keeps URLSession's queue
// busy. So libcurl measures the timeout here (cfnf_set_timeout), and those timers of libdispatch
// are set never to fire.
//
// libcurl itself asks for one timer, for what it has to do next. That was a timer of libdispatch
// as well, anew for each call. Here it is a timerfd in the epoll set of the session (sockets.c),
// and stays set where the new time is later than the old one: then it fires too early now and
// then, and is set anew.

#define _GNU_SOURCE
#include "functions.h"

#include "CFoundationNetworkingFixes.h"

#include <dlfcn.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>

long callTimeout;

// The timer that URLSession has just made for a call, on this thread.
static _Thread_local void *callTimer;

void cfnf_set_timeout(long milliseconds)
{
    callTimeout = milliseconds;
}

void note_timer(void *source, void *queue)
{
    const char *label = queue == NULL ? NULL : dispatch_queue_get_label(queue);
    bool isCalls = label != NULL && strcmp(label, "org.swift.URLSessionTask.WorkQueue") == 0;
    callTimer = isCalls ? source : NULL;
}

// Of the whole process.
void dispatch_source_set_timer(void *source, uint64_t start, uint64_t interval, uint64_t leeway)
{
    // Another library may call it before find_functions has run.
    if (next.source_set_timer == NULL)
        next.source_set_timer = (void (*)(void *, uint64_t, uint64_t, uint64_t)) dlsym(
            RTLD_NEXT, "dispatch_source_set_timer");
    if (source == callTimer) {
        callTimer = NULL;
        if (areTimersActive && callTimeout > 0)
            start = UINT64_MAX;
    }
    next.source_set_timer(source, start, interval, leeway);
}

uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000ull + time.tv_nsec;
}

static void arm(Timer *timer, uint64_t time)
{
    struct itimerspec spec = {
        .it_value = {.tv_sec = time / 1000000000, .tv_nsec = time % 1000000000}};
    // Cannot fail for the times given here. Setting it also ends its being readable.
    timerfd_settime(timer->descriptor, TFD_TIMER_ABSTIME, &spec, NULL);
    timer->armed = time;
}

bool open_timer(Timer *timer)
{
    timer->descriptor = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    return timer->descriptor >= 0;
}

void set_timer(Timer *timer, long milliseconds)
{
    timer->wanted = milliseconds < 0 ? 0 : now() + milliseconds * 1000000ull;
    if (timer->wanted != 0 && (timer->armed == 0 || timer->wanted < timer->armed))
        arm(timer, timer->wanted);
}

bool is_due(Timer *timer)
{
    bool isDue = timer->wanted != 0 && timer->wanted <= now();
    if (isDue)
        timer->wanted = 0;
    arm(timer, timer->wanted);
    return isDue;
}
