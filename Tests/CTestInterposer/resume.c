// Has MHD_resume_connection take its time, so that what must not happen meanwhile would.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

void MHD_resume_connection(void *connection)
{
    void (*next)(void *) = dlsym(RTLD_NEXT, "MHD_resume_connection");
    if (getenv("TEST_SLOW_RESUME") != NULL)
        usleep(300000);
    next(connection);
}
