// How often the name of a host is looked up.
//
// libcurl looks it up for each new connection, with getaddrinfo on a thread of its own. A thousand
// first calls are a thousand questions within a moment, and a name server may drop many: with
// Docker's, up to 400 of 1,000 such calls failed (none).
//
// Here a look-up that is the same as one under way waits for that one, and gets a copy of its
// result, which may be an error. Nothing is kept after that. One that has been under way for 100 ms
// is joined no more: its question may be lost, and the resolver asks again only after 5 s by default,
// while a new question may be answered at once.
//
// A name server that hangs holds a thread and descriptors for as long as the resolver allows, which
// may be many times as long as a call. So a look-up that waits for another one gives up when its call
// has, and the newest is joined at any time once there are LOOKUP_LIMIT, or as many as calls may be.
//
// It gives up just after, since libcurl, when it ends a transfer, leaves its data to the thread that
// looks up, and then uses it once more: a crash if the thread has freed it by then (7.88,
// asyn-thread.c, destroy_async_data). So no look-up returns while libcurl ends a transfer, either.

#define _GNU_SOURCE
#include "answers.h"

#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    JOINABLE_TIME = 100000000, // nanoseconds
    LOOKUP_LIMIT = 32, // of one name
    LATENESS = 5000000, LATENESS_LIMIT = 1000000000, // nanoseconds
};

// One under way. It is on the stack of the thread that asks, which waits until all have their copy.
typedef struct Lookup {
    struct Lookup *next;
    const char *host, *service;
    const struct addrinfo *hints;
    uint64_t start;
    bool isOver;
    int failure, number;
    struct addrinfo *addresses;
    // The threads without their copy.
    int waiting;
    pthread_cond_t over, taken;
} Lookup;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Lookup *lookups;

// Of the calls that have not ended.
static Answer *oldest, *newest;

void note_begin(Answer *answer)
{
    pthread_mutex_lock(&lock);
    answer->older = newest;
    *(newest != NULL ? &newest->newer : &oldest) = answer;
    newest = answer;
    pthread_mutex_unlock(&lock);
}

void note_end(Answer *answer)
{
    pthread_mutex_lock(&lock);
    *(answer->older != NULL ? &answer->older->newer : &oldest) = answer->newer;
    *(answer->newer != NULL ? &answer->newer->older : &newest) = answer->older;
    pthread_mutex_unlock(&lock);
}

MultiCode CFURLSessionMultiHandleRemoveHandle(void *multi, void *easy)
{
    pthread_mutex_lock(&lock);
    MultiCode code = next.multi_remove(multi, easy);
    pthread_mutex_unlock(&lock);
    return code;
}

static bool is_same(const Lookup *one, const Lookup *other)
{
    return strcmp(one->host, other->host) == 0 && strcmp(one->service, other->service) == 0
        && memcmp(one->hints, other->hints, offsetof(struct addrinfo, ai_addrlen)) == 0;
}

// As glibc has it, whose freeaddrinfo is to free it: an address is in one block with its element.
static int copy(const struct addrinfo *from, struct addrinfo **addresses)
{
    struct addrinfo *first = NULL, **place = &first;
    for (; from != NULL; from = from->ai_next) {
        struct addrinfo *element = malloc(sizeof *element + from->ai_addrlen);
        if (element == NULL) {
            freeaddrinfo(first);
            return EAI_MEMORY;
        }
        *element = *from;
        element->ai_addr = memcpy(element + 1, from->ai_addr, from->ai_addrlen);
        element->ai_next = NULL;
        *place = element;
        place = &element->ai_next;
    }
    *addresses = first;
    return 0;
}

static int join(Lookup *lookup, uint64_t start, struct addrinfo **addresses)
{
    uint64_t end = callTimeout > 0 ? start + callTimeout * 1000000ull : UINT64_MAX / 2;
    uint64_t last = end + LATENESS_LIMIT;
    int failure = EAI_AGAIN, late = 0;
    lookup->waiting += 1;
    // Its own call is one of those that had begun.
    while (!lookup->isOver && end < last
        && (late == 0 || (oldest != NULL && oldest->start <= start))) {
        struct timespec limit = {.tv_sec = end / 1000000000, .tv_nsec = end % 1000000000};
        late = pthread_cond_clockwait(&lookup->over, &lock, CLOCK_MONOTONIC, &limit);
        end += late != 0 ? LATENESS : 0;
    }
    if (lookup->isOver) {
        failure = lookup->failure == 0 ? copy(lookup->addresses, addresses) : lookup->failure;
        errno = lookup->number;
    }
    lookup->waiting -= 1;
    if (lookup->waiting == 0)
        pthread_cond_signal(&lookup->taken);
    return failure;
}

static int ask(Lookup *lookup, struct addrinfo **addresses)
{
    lookup->next = lookups;
    lookups = lookup;
    pthread_mutex_unlock(&lock);
    lookup->failure = next.getaddrinfo(
        lookup->host, lookup->service, lookup->hints, &lookup->addresses);
    lookup->number = errno;
    pthread_mutex_lock(&lock);
    Lookup **place = &lookups;
    while (*place != lookup)
        place = &(*place)->next;
    *place = lookup->next;
    lookup->isOver = true;
    pthread_cond_broadcast(&lookup->over);
    while (lookup->waiting > 0)
        pthread_cond_wait(&lookup->taken, &lock);
    if (lookup->failure == 0)
        *addresses = lookup->addresses;
    errno = lookup->number;
    return lookup->failure;
}

// Of the whole process.
int getaddrinfo(
    const char *restrict host, const char *restrict service, const struct addrinfo *restrict hints,
    struct addrinfo **restrict addresses)
{
    // Another library may call it before find_functions has run.
    if (next.getaddrinfo == NULL)
        next.getaddrinfo = (GetAddresses) dlsym(RTLD_NEXT, "getaddrinfo");
    // Not libcurl's, which gives all three and asks for no canonical name.
    if (host == NULL || service == NULL || hints == NULL || hints->ai_flags & AI_CANONNAME)
        return next.getaddrinfo(host, service, hints, addresses);
    Lookup mine = {
        .host = host, .service = service, .hints = hints, .start = now(),
        .over = PTHREAD_COND_INITIALIZER, .taken = PTHREAD_COND_INITIALIZER};
    // libcurl 8.16 cancels its threads, and others have pointers to this one's stack.
    int state;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    pthread_mutex_lock(&lock);
    Lookup *last = NULL;
    int count = 0;
    for (Lookup *other = lookups; other != NULL; other = other->next) {
        if (!is_same(other, &mine))
            continue;
        last = last != NULL ? last : other;
        count += 1;
    }
    int limit = callLimit > 0 && callLimit < LOOKUP_LIMIT ? (int) callLimit : LOOKUP_LIMIT;
    bool doesJoin = last != NULL && (count >= limit || mine.start < last->start + JOINABLE_TIME);
    int failure = doesJoin ? join(last, mine.start, addresses) : ask(&mine, addresses);
    pthread_mutex_unlock(&lock);
    pthread_setcancelstate(state, NULL);
    return failure;
}
