// Fixes for bugs of libmicrohttpd, from outside: a definition in the executable comes before those
// of the libraries, and libmicrohttpd calls even its own public functions by their names. If it is
// linked so that it does not (-Bsymbolic-functions), those are not fixed.

#define _GNU_SOURCE
#include "CMicroHTTPDFixes.h"

#include <dlfcn.h>
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>

static __typeof__(MHD_queue_response) *queue_response;
static __typeof__(MHD_lookup_connection_value_n) *lookup;

__attribute__((constructor)) static void find_libmicrohttpd(void)
{
    queue_response = dlsym(RTLD_NEXT, "MHD_queue_response");
    lookup = dlsym(RTLD_NEXT, "MHD_lookup_connection_value_n");
}

// libmicrohttpd asks for 128 events, and if it gets that many it asks for more before it handles
// any, and waits for as long as it would with nothing to do (0.9.75, daemon.c:4996; 1.0.1, 5613).
// So exactly 128 clients at once, or 256, would wait until something else happens. Here it never
// gets 128.
int epoll_wait(int descriptor, struct epoll_event *events, int count, int milliseconds)
{
    return epoll_pwait(
        descriptor, events, count < CMHDF_EVENTS ? count : CMHDF_EVENTS, milliseconds, NULL);
}

enum { DESCRIPTORS = 65536 };

static atomic_bool hides_end[DESCRIPTORS];

void cmhdf_hide_end(int descriptor, bool hides)
{
    if (descriptor >= 0 && descriptor < DESCRIPTORS)
        atomic_store_explicit(&hides_end[descriptor], hides, memory_order_relaxed);
}

// Whether libmicrohttpd's thread reads from it, and then, whether the last character was LF.
static bool is_served[DESCRIPTORS], is_line_start[DESCRIPTORS];

// Where the first byte was put: each request begins there, with the empty lines before it.
static const char *memory[DESCRIPTORS];

void cmhdf_serve(int descriptor)
{
    if (descriptor < DESCRIPTORS) {
        is_served[descriptor] = true;
        is_line_start[descriptor] = false;
        memory[descriptor] = NULL;
    }
}

size_t cmhdf_offset(int descriptor, const char *text)
{
    bool isKnown = descriptor < DESCRIPTORS && memory[descriptor] != NULL;
    return isKnown && text > memory[descriptor] ? (size_t) (text - memory[descriptor]) : 0;
}

void cmhdf_end_serving(int descriptor)
{
    if (descriptor < DESCRIPTORS)
        is_served[descriptor] = false;
}

// libmicrohttpd 0.9 takes a NUL for the end of a line, where it puts one itself, and a line that
// begins with a colon for the empty one (0.9.75, connection.c). Behind that it finds another request
// than a proxy in front. In their place it gets a control character, with which a head is rejected;
// in content, which nobody reads, that does no harm.
static void replace_misread(int descriptor, char *text, size_t size)
{
    char *end = text + size;
    for (char *nul = text; (nul = memchr(nul, '\0', end - nul)) != NULL; *nul = 1) {}
    if (is_line_start[descriptor] && text[0] == ':')
        text[0] = 1;
    // memmem takes a nanosecond a byte.
    for (char *line = text; (line = memchr(line, '\n', end - line)) != NULL;)
        if (++line < end && *line == ':')
            *line = 1;
    is_line_start[descriptor] = text[size - 1] == '\n';
}

// When a connection is resumed, libmicrohttpd reads before it asks for the response, and if it
// reads the end it closes the connection without one (0.9.75, connection.c:3766; 1.0.1, 6478). A
// client that has only ended its own side would get no answer. So until then, nothing can be read.
ssize_t recv(int descriptor, void *buffer, size_t size, int flags)
{
    ssize_t count = recvfrom(descriptor, buffer, size, flags, NULL, NULL);
    if (count > 0 && buffer != NULL && descriptor < DESCRIPTORS && is_served[descriptor]) {
        if (memory[descriptor] == NULL)
            memory[descriptor] = buffer;
        replace_misread(descriptor, buffer, (size_t) count);
    }
    if (count != 0 || size == 0 || descriptor >= DESCRIPTORS
        || !atomic_load_explicit(&hides_end[descriptor], memory_order_relaxed))
        return count;
    errno = EAGAIN;
    return -1;
}

// As in Glibc's header.
enum { CLOSE_WAIT = 8 };

// Only the kernel's own header has the field, and it cannot be read together with Glibc's.
uint64_t cmhdf_received(int descriptor)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &size);
    // The end counts as a byte.
    return info.tcpi_bytes_received - (info.tcpi_state == CLOSE_WAIT);
}

static _Atomic(enum MHD_Result (*)(struct MHD_Connection *, unsigned int)) on_refusal;

void cmhdf_on_refusal(enum MHD_Result (*refuse)(struct MHD_Connection *, unsigned int))
{
    on_refusal = refuse;
}

enum MHD_Result cmhdf_queue_response(
    struct MHD_Connection *connection, unsigned int status, struct MHD_Response *response)
{
    return queue_response(connection, status, response);
}

// libmicrohttpd's own rejections are HTML. And up to 0.9.77, when it stops, it says yes to a response
// that it does not take, and then sends the one that it has not (connection.c:5102): a crash.
enum MHD_Result MHD_queue_response(
    struct MHD_Connection *connection, unsigned int status, struct MHD_Response *response)
{
    enum MHD_Result result = on_refusal == NULL ? queue_response(connection, status, response)
                                                : on_refusal(connection, status);
    bool hasResponse = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_HTTP_STATUS) != NULL;
    return hasResponse ? result : MHD_NO;
}

// Up to 0.9.77, libmicrohttpd counts trailing blanks as a part of a value, against RFC 9110 §5.5,
// and then does not recognize a length or a coding. And it copies cookies, for which nobody asks: a
// response may then find no memory, and 0.9.75 takes `a="` for a cookie of SIZE_MAX bytes.
enum MHD_Result MHD_lookup_connection_value_n(
    struct MHD_Connection *connection, enum MHD_ValueKind kind, const char *name, size_t name_size,
    const char **value, size_t *value_size)
{
    if (name_size == 6 && strncasecmp(name, "cookie", name_size) == 0)
        return MHD_NO;
    const char *text = NULL;
    size_t size = 0;
    enum MHD_Result result = lookup(connection, kind, name, name_size, &text, &size);
    if (result == MHD_NO)
        return result;
    while (size > 0 && (text[size - 1] == ' ' || text[size - 1] == '\t'))
        --size;
    // It compares this one up to its NUL.
    if (size == 7 && strncasecmp(text, "chunked", size) == 0)
        text = "chunked";
    if (value != NULL)
        *value = text;
    if (value_size != NULL)
        *value_size = size;
    return result;
}
