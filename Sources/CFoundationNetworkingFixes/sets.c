// The epoll sets of all sessions; there are few.

#include "functions.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Set *sets;

Set *set_of(void *multi)
{
    pthread_mutex_lock(&lock);
    Set *set = sets;
    while (set != NULL && set->multi != multi)
        set = set->next;
    pthread_mutex_unlock(&lock);
    return set;
}

Set *make_set(void *multi, void *context)
{
    Set *set = calloc(1, sizeof *set);
    if (set == NULL)
        return NULL;
    set->multi = multi;
    set->context = context;
    set->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (set->epoll < 0 || !open_timer(&set->timer)) {
        if (set->epoll >= 0)
            close(set->epoll);
        free(set);
        return NULL;
    }
    struct epoll_event event = {.events = EPOLLIN, .data.fd = set->timer.descriptor};
    epoll_ctl(set->epoll, EPOLL_CTL_ADD, set->timer.descriptor, &event);
    open_wait(set);
    pthread_mutex_lock(&lock);
    set->next = sets;
    sets = set;
    pthread_mutex_unlock(&lock);
    return set;
}

Set *take_set(void *multi)
{
    pthread_mutex_lock(&lock);
    Set **place = &sets;
    while (*place != NULL && (*place)->multi != multi)
        place = &(*place)->next;
    Set *set = *place;
    if (set != NULL)
        *place = set->next;
    pthread_mutex_unlock(&lock);
    return set;
}

bool is_only(const Set *set)
{
    pthread_mutex_lock(&lock);
    bool isOnly = sets == set && set->next == NULL;
    pthread_mutex_unlock(&lock);
    return isOnly;
}

void close_set(void *context)
{
    Set *set = context;
    if (set->isInQueue && !set->isClosed) {
        // The wait that is on the queue closes it.
        set->isClosed = true;
        return;
    }
    if (set->handler != NULL)
        _Block_release(set->handler);
    if (set->descriptor != set->epoll)
        close(set->descriptor);
    close(set->epoll);
    close(set->timer.descriptor);
    free(set);
}
