// With TEST_CONNECT_TO_SELF a connection to a port where nobody listens has that port at both ends,
// as the kernel chooses it for one in 28,000.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

int connect(int socket, const struct sockaddr *address, socklen_t size)
{
    static int (*_Atomic next)(int, const struct sockaddr *, socklen_t);
    if (next == NULL)
        next = (int (*)(int, const struct sockaddr *, socklen_t)) dlsym(RTLD_NEXT, "connect");
    if (address->sa_family == AF_INET && getenv("TEST_CONNECT_TO_SELF") != NULL)
        bind(socket, address, size);
    return next(socket, address, size);
}
