// With TEST_SLOW_HANGUP libdispatch's manager thread pauses while it tells a source that its
// connection has ended (EPOLLHUP, which a reset makes). Meanwhile the source's queue unregisters the
// source and frees what the manager goes on to use. Without the pause, that takes a preemption at
// the right moment.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

typedef void (*Merge)(void *source, uint32_t flags, uintptr_t data, uintptr_t priority);

enum {
    FLAG_DELETE = 2, // EV_DELETE
    MERGE_OFFSET = 0x28, // dst_merge_evt in dispatch_source_type_s, as in Swift 6.3
};

static Merge next;

static void merge_slowly(void *source, uint32_t flags, uintptr_t data, uintptr_t priority)
{
    if (flags & FLAG_DELETE)
        usleep(1000);  // In place of that preemption.
    next(source, flags, data, priority);
}

__attribute__((constructor)) static void slow_down(void)
{
    if (getenv("TEST_SLOW_HANGUP") == NULL)
        return;
    char *type = dlsym(RTLD_DEFAULT, "_dispatch_source_type_read");
    Dl_info of_type, of_function;
    Merge *place = (Merge *) (type + MERGE_OFFSET);
    uintptr_t page = (uintptr_t) place & -(uintptr_t) sysconf(_SC_PAGESIZE);
    // Another libdispatch may have something else there: then the test is to fail.
    if (type == NULL || dladdr(type, &of_type) == 0 || dladdr((void *) *place, &of_function) == 0
        || of_type.dli_fbase != of_function.dli_fbase
        || mprotect((void *) page, (uintptr_t) (place + 1) - page, PROT_READ | PROT_WRITE) != 0) {
        fputs("TEST_SLOW_HANGUP: this libdispatch is not known\n", stderr);
        _exit(EXIT_FAILURE);
    }
    next = *place;
    *place = merge_slowly;
}
