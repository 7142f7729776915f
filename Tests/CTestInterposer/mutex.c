// ThreadSanitizer does not see into libswiftSynchronization, which is not instrumented: to it, a
// Mutex that two threads wanted at once is no lock, and what it guards is a race. These functions
// stand before the ones that a contended Mutex calls and tell it of the order that they make.

#define _GNU_SOURCE
#include "CTestInterposer.h"

#if !__has_feature(thread_sanitizer)

bool cti_is_sanitized(void)
{
    return false;
}

#else

#include <dlfcn.h>
#include <stdint.h>

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context))
#define LOCK_SLOW "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK_SLOW "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

void __tsan_acquire(void *);
void __tsan_release(void *);

SWIFT void lock_slow(uint32_t thread, SELF void *mutex) __asm__(LOCK_SLOW);
SWIFT void unlock_slow(SELF void *mutex) __asm__(UNLOCK_SLOW);

bool cti_is_sanitized(void)
{
    return true;
}

SWIFT void lock_slow(uint32_t thread, SELF void *mutex)
{
    SWIFT void (*next)(uint32_t, SELF void *) = dlsym(RTLD_NEXT, LOCK_SLOW);
    next(thread, mutex);
    __tsan_acquire(mutex);
}

SWIFT void unlock_slow(SELF void *mutex)
{
    SWIFT void (*next)(SELF void *) = dlsym(RTLD_NEXT, UNLOCK_SLOW);
    __tsan_release(mutex);
    next(mutex);
}

#endif
