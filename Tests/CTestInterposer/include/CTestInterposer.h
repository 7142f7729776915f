#ifndef CTESTINTERPOSER_H
#define CTESTINTERPOSER_H

#include <stdbool.h>

// Functions that stand before those of other libraries: in the tests themselves, and in a process
// that is started with libTestInterposer.so in LD_PRELOAD.

// Whether this is a build for ThreadSanitizer.
static inline bool cti_is_sanitized(void)
{
#if __has_feature(thread_sanitizer)
    return true;
#else
    return false;
#endif
}

#endif
