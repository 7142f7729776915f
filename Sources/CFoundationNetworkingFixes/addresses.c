// Which of a name's addresses a call goes to.
//
// Where one address refuses, or is silent for half the time that is left, libcurl means to try the
// next one, but up to 8.3 only when it is called for this transfer again: after 200 ms, or at its
// deadline (curl #11920, 8.4). It looks at once at a transfer that is paused and resumed.

#include "functions.h"

#include <stdlib.h>

// All this is on URLSession's queue, which all sessions share.
static bool isConnecting[65536];

// The transfers that have lost a socket before it was connected, in a call of libcurl.
static void **transfers;
static size_t count, capacity;
static bool isCalled;

void note_wait(void *easy, int socket, int what)
{
    if (socket >= (int) (sizeof isConnecting / sizeof *isConnecting))
        return;
    bool isLost = what == POLL_REMOVE && isConnecting[socket];
    // What libcurl waits for then, and only then.
    isConnecting[socket] = what == POLL_OUT;
    if (!isLost || !isCalled)
        return;
    if (count == capacity) {
        void **larger = realloc(transfers, (capacity + 64) * sizeof *transfers);
        if (larger == NULL)
            return;
        transfers = larger;
        capacity += 64;
    }
    transfers[count++] = easy;
}

MultiCode multi_action(void *multi, int socket, int mask, int *running)
{
    isCalled = next.pause != NULL;
    MultiCode code = next.multi_action(multi, socket, mask, running);
    isCalled = false;
    for (; count > 0; count -= 1) {
        // Of one that has failed since, having no other address, libcurl ignores it.
        next.pause(transfers[count - 1], 0, 1);
        next.pause(transfers[count - 1], 0, 0);
    }
    return code;
}
