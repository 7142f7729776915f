#ifndef CTESTINTERPOSER_H
#define CTESTINTERPOSER_H

#include <stdbool.h>

// Functions that stand before those of other libraries: in the tests themselves, and in a process
// that is started with libTestInterposer.so in LD_PRELOAD.

// Whether this is a build for ThreadSanitizer.
bool cti_is_sanitized(void);

// Lets a process have `count` files open, from now on.
bool cti_limit_files(int pid, unsigned long count);

#endif
