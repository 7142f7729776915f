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

#define _GNU_SOURCE
#include "functions.h"

#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

// In nanoseconds.
enum { JOINABLE_TIME = 100000000 };

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

static int join(Lookup *lookup, struct addrinfo **addresses)
{
    lookup->waiting += 1;
    while (!lookup->isOver)
        pthread_cond_wait(&lookup->over, &lock);
    int failure = lookup->failure == 0 ? copy(lookup->addresses, addresses) : lookup->failure;
    errno = lookup->number;
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
    Lookup *other = lookups;
    while (other != NULL && !(is_same(other, &mine) && mine.start < other->start + JOINABLE_TIME))
        other = other->next;
    int failure = other != NULL ? join(other, addresses) : ask(&mine, addresses);
    pthread_mutex_unlock(&lock);
    pthread_setcancelstate(state, NULL);
    return failure;
}
