#ifndef DISPATCH_H
#define DISPATCH_H

// Of the runtime of blocks, and how the compiler lays one out (Block-ABI-Apple).
struct Block {
    void *isa;
    int flags, reserved;
    void (*invoke)(void *block);
};

void *_Block_copy(const void *block);
void _Block_release(const void *block);

// libdispatch's own, as in dispatch/dispatch.h, which C targets do not find.
void dispatch_async_f(void *queue, void *context, void (*function)(void *));
void *dispatch_get_specific(const void *key);
const char *dispatch_queue_get_label(void *queue);
void dispatch_queue_set_specific(void *queue, const void *key, void *value, void (*destroy)(void *));
void dispatch_release(void *object);
void dispatch_retain(void *object);
void dispatch_set_context(void *object, void *context);
void dispatch_source_cancel(void *source);
void dispatch_source_set_cancel_handler_f(void *source, void (*function)(void *));

#endif
