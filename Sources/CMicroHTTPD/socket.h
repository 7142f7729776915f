#ifndef CMICROHTTPD_SOCKET_H
#define CMICROHTTPD_SOCKET_H

#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

// Sockets in the language of their interface. A function that fails returns -1 and sets *problem
// to a message of the C library.

// Whether a listening socket shares its port with others. One that shares it before it listens would
// also share it with those of another process. So the first one begins to listen alone, which fails
// where any socket listens, and lets the others in after that.
enum cmhd_sharing { CMHD_ALONE, CMHD_SHARED_LATER, CMHD_SHARED };

static inline int cmhd_try_listen(
    int fd, const struct addrinfo *address, enum cmhd_sharing sharing)
{
    const int on = 1, before = sharing == CMHD_SHARED, after = sharing != CMHD_ALONE;
    return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0
        && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &before, sizeof before) == 0
        && bind(fd, address->ai_addr, address->ai_addrlen) == 0
        // Not between these two: two processes can both have bound, since neither listens yet.
        && listen(fd, SOMAXCONN) == 0
        && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &after, sizeof after) == 0;
}

static inline int cmhd_try_connect(int fd, const struct addrinfo *address, int milliseconds)
{
    const struct timeval limit = {milliseconds / 1000, milliseconds % 1000 * 1000};
    // SO_SNDTIMEO limits connect(2) as well.
    return setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0
        && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0
        && connect(fd, address->ai_addr, address->ai_addrlen) == 0;
}

// A socket of the first address of `host` that works: listening if `milliseconds` is 0, or else
// connected, with that limit on connecting and on each later operation.
static inline int cmhd_open(
    const char *host, uint16_t port, int milliseconds, enum cmhd_sharing sharing,
    const char **problem)
{
    const struct addrinfo hints = {
        .ai_socktype = SOCK_STREAM,
        .ai_flags = (milliseconds == 0 ? AI_PASSIVE : 0) | AI_NUMERICSERV,
    };
    char service[6];
    snprintf(service, sizeof service, "%hu", port);
    struct addrinfo *addresses;
    int failure = getaddrinfo(host, service, &hints, &addresses);
    if (failure != 0) {
        *problem = gai_strerror(failure);
        return -1;
    }
    int fd = -1;
    for (struct addrinfo *a = addresses; a != NULL && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int works = fd >= 0
            && (milliseconds == 0 ? cmhd_try_listen(fd, a, sharing)
                                  : cmhd_try_connect(fd, a, milliseconds));
        if (works)
            break;
        *problem = strerror(errno);
        if (fd >= 0)
            close(fd);
        fd = -1;
    }
    freeaddrinfo(addresses);
    return fd;
}

// The local port of a socket; both families have it at the same place.
static inline uint16_t cmhd_local_port(int fd)
{
    struct sockaddr_in6 address = {0};
    socklen_t size = sizeof address;
    getsockname(fd, (struct sockaddr *) &address, &size);
    return ntohs(address.sin6_port);
}

// POLLRDHUP, which poll.h has for GNU programs only; epoll's is the same.
enum { CMHD_POLLRDHUP = EPOLLRDHUP };

// The number of bytes that have arrived and are not yet read.
static inline int cmhd_unread(int fd)
{
    int count = 0;
    return ioctl(fd, FIONREAD, &count) == 0 ? count : 0;
}

// Reads them, and drops them. That makes room for more, which comes at once on the same machine.
static inline void cmhd_discard_input(int fd)
{
    for (int i = 0; i < 64 && recv(fd, NULL, INT_MAX, MSG_DONTWAIT | MSG_TRUNC) > 0; ++i) {}
}

static inline struct tcp_info cmhd_tcp_info(int fd)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size);
    return info;
}

// The milliseconds since bytes last arrived.
static inline uint32_t cmhd_silence(int fd)
{
    return cmhd_tcp_info(fd).tcpi_last_data_recv;
}

// The number of connections that this listening socket has not accepted yet.
static inline uint32_t cmhd_backlog(int fd)
{
    // For a listening socket, Linux has the length of its queue here.
    return cmhd_tcp_info(fd).tcpi_unacked;
}

// Makes the kernel refuse new connections to this listening socket, by binding it to a network
// interface that cannot exist. Connections that it has accepted, or begun to, are not affected;
// shutdown(2) and close(2) would reset them. Needs no privilege since Linux 5.7.
static inline int cmhd_refuse_connections(int fd)
{
    const int interface = INT_MAX;
    return setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &interface, sizeof interface);
}

#endif
