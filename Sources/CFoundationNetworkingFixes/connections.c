// Where a call goes, and which connections are used again.
//
// URLSession makes a libcurl handle for each call, and leaves the settings made here to libcurl's
// defaults and the environment. It also parses each URL a second time, which leaks.
//
// libcurl keeps connections for the next calls, but at most four idle ones for each current call:
// whenever there are fewer calls, it closes connections that the next ones need (12 to 63 us of a
// call, with 64 at once). And it keeps one that has received bytes that nobody asked for.

#define _GNU_SOURCE
#include "answers.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

// libcurl calls this when it has a connection, before it sends the request there. If that was idle,
// and is dead, it takes another; up to five that may all be dead, and then it gives up (none).
static int has_connection(void *easy, char *peer, char *own, int peerPort, int ownPort)
{
    next.setopt_long(easy, (Option) {OPT_FRESH_CONNECT}, 1);
    // Nobody listens there, but the kernel has chosen this port for this end, and TCP lets both ends
    // be one (RFC 9293 §3.5).
    if (peerPort == ownPort && strcmp(peer, own) == 0)
        return 1;
    return 0;
}

void *CFURLSessionEasyHandleInit(void)
{
    void *easy = next.init();
    if (easy == NULL || !isActive)
        return easy;
    begin_answer(easy);
    // Whatever the environment says: connectionProxyDictionary is ignored (#5199).
    next.setopt_ptr(easy, (Option) {OPT_PROXY}, "");
    // libcurl keeps the address of a name for 60 s, and there is no setting for it: Service A at a
    // new address would be called at the old one for so long (none).
    next.setopt_long(easy, (Option) {OPT_DNS_CACHE_TIMEOUT}, 0);
    // Cancelling a call waits for its name look-up, and all sessions wait for it (none).
    next.setopt_long(easy, (Option) {OPT_QUICK_EXIT}, 1);
    next.setopt_long(easy, (Option) {OPT_TIMEOUT_MS}, callTimeout > 0 ? callTimeout + 100 : 0);
    // See body.c.
    next.setopt_long(easy, (Option) {OPT_HTTP_TRANSFER_DECODING}, 0);
    next.setopt_ptr(easy, (Option) {OPT_PREREQFUNCTION}, (void *) has_connection);
    next.setopt_ptr(easy, (Option) {OPT_PREREQDATA}, easy);
    return easy;
}

long callLimit;

// A session may keep as many connections as it may open.
MultiCode CFURLSession_multi_setopt_l(void *multi, MultiOption option, long value)
{
    if (isActive && option.value == MULTI_OPT_MAX_HOST_CONNECTIONS) {
        callLimit = value;
        next.multi_setopt_l(multi, (MultiOption) {MULTI_OPT_MAXCONNECTS}, value);
    }
    return next.multi_setopt_l(multi, option, value);
}

// The original leaks 150 bytes or more on every call (#5498, main), and rejects IPv6 addresses
// (#5496, main). It ensures that URLSession and libcurl parse a URL alike; here there is only one,
// the operator's.
bool CFURLSessionCurlHostIsEqual(const char *url, const char *host)
{
    bool (*original)(const char *, const char *) = isActive
        ? NULL : (bool (*)(const char *, const char *)) dlsym(RTLD_NEXT, __func__);
    return original == NULL || original(url, host);
}

uint64_t received(int socket)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size);
    return info.tcpi_bytes_received;
}

// The idle connections, by their descriptors: their epoll set, which is 0 for any other, and since
// when. On URLSession's queue, which all sessions share.
static struct {
    int epoll;
    uint64_t since;
} idle[65536];
static int idleEnd;

// Up to 7.88 libcurl takes what has come on an idle connection for the answer to the next request
// (curl #10690, 8.0). So idle ones stay in the epoll set of their session (sockets.c).
void watch_idle(int epoll, int socket)
{
    if (socket < (int) (sizeof idle / sizeof *idle)) {
        idle[socket].epoll = epoll;
        idle[socket].since = now();
        idleEnd = socket < idleEnd ? idleEnd : socket + 1;
    }
    // Its number is negative while it is idle.
    struct epoll_event event = {.events = EPOLLIN, .data.fd = ~socket};
    epoll_ctl(epoll, EPOLL_CTL_MOD, socket, &event);
}

void note_use(int socket)
{
    if (socket < idleEnd)
        idle[socket].epoll = 0;
}

// Its connection has been watched as an idle one all the time.
void note_short_use(void *easy)
{
    long socket = -1;
    next.getinfo_long(easy, (Info) {INFO_LASTSOCKET}, &socket);
    if (socket >= 0 && socket < idleEnd)
        idle[socket].since = now();
}

void end_idle(int epoll, int socket)
{
    note_use(socket);
    // libcurl may have closed it, and its number may be another file's.
    if (epoll_ctl(epoll, EPOLL_CTL_DEL, socket, NULL) != 0)
        return;
    shutdown(socket, SHUT_RDWR);
    // libcurl closes a connection that it finds at its end before it sends a request: this drops
    // the bytes before that end.
    recv(socket, NULL, INT_MAX, MSG_DONTWAIT | MSG_TRUNC);
}

// A call has got nothing, for half its time at least, on a connection that had been idle. Those that
// have been idle since before may be dead as well, if their host has crashed: each would cost a call
// its deadline (none).
void note_silence(void *easy, uint64_t start)
{
    long connects = 1, sent = 0;
    next.getinfo_long(easy, (Info) {INFO_NUM_CONNECTS}, &connects);
    next.getinfo_long(easy, (Info) {INFO_REQUEST_SIZE}, &sent);
    bool isLong = now() - start > callTimeout * 500000ull;
    for (int socket = 0; isLong && connects == 0 && sent > 0 && socket < idleEnd; socket += 1)
        if (idle[socket].epoll > 0 && idle[socket].since < start)
            end_idle(idle[socket].epoll, socket);
}
