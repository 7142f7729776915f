// With TEST_OLD_WORK_ITEMS each work item of libdispatch is one that has been performed nearly 2^32
// times.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

// dispatch_block_private_data_s, as in Swift 6.3, behind the header of a block.
typedef struct {
    uint64_t magic, flags;
    uint32_t atomic_flags, performed;
    uint64_t priority;
    void *voucher, *block, *group;
} Item;

enum {
    BLOCK_SIZE = 32,
    MAGIC = 0xD159B10C,
    PERFORMED = 0xFFFFFFF0,
};

void dispatch_group_leave(void *group);

// Weak, since the tests link Service B's, too.
__attribute__((weak)) void *dispatch_block_create_with_qos_class(
    unsigned long flags, unsigned class, int priority, void *block)
{
    void *(*next)(unsigned long, unsigned, int, void *) =
        dlsym(RTLD_NEXT, "dispatch_block_create_with_qos_class");
    char *created = next(flags, class, priority, block);
    if (getenv("TEST_OLD_WORK_ITEMS") == NULL)
        return created;
    Item *item = (Item *) (created + BLOCK_SIZE);
    // Another libdispatch may have something else there: then the test is to fail.
    if (item->magic != MAGIC) {
        fputs("TEST_OLD_WORK_ITEMS: this libdispatch is not known\n", stderr);
        _exit(EXIT_FAILURE);
    }
    // As after the first time.
    dispatch_group_leave(item->group);
    item->performed = PERFORMED;
    return created;
}
