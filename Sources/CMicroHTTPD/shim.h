#ifndef CMICROHTTPD_SHIM_H
#define CMICROHTTPD_SHIM_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

// The C that Swift cannot express. Differences between libmicrohttpd 0.9.75 and 1.0.x are handled
// in this file only.

// MHD_start_daemon is variadic. No MHD_USE_ERROR_LOG: any client could provoke its messages.
static inline struct MHD_Daemon *cmhd_start(
    int listen_socket, unsigned int connection_limit, size_t connection_memory,
    MHD_AccessHandlerCallback access,
    MHD_RequestCompletedCallback completed, MHD_NotifyConnectionCallback connection,
    void *(*target)(void *, const char *, struct MHD_Connection *),
    size_t (*unescape)(void *, struct MHD_Connection *, char *), void *context)
{
    return MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0,
        NULL, NULL, access, context,
        MHD_OPTION_LISTEN_SOCKET, listen_socket,
        MHD_OPTION_CONNECTION_LIMIT, connection_limit,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, connection_memory,
        // 1.0 has rules of its own, and this makes them RFC 9112's. 0.9 gets some of them wrong.
        MHD_OPTION_STRICT_FOR_CLIENT, MHD_get_version()[0] == '0' ? 0 : 1,
        MHD_OPTION_NOTIFY_COMPLETED, completed, context,
        MHD_OPTION_NOTIFY_CONNECTION, connection, context,
        MHD_OPTION_URI_LOG_CALLBACK, target, context,
        MHD_OPTION_UNESCAPE_CALLBACK, unescape, context,
        MHD_OPTION_END);
}

// An MHD_OPTION_UNESCAPE_CALLBACK that leaves paths and cookies as they came.
static inline size_t cmhd_keep_escapes(void *context, struct MHD_Connection *c, char *text)
{
    (void) context; (void) c;
    return strlen(text);
}

// An MHD_OPTION_URI_LOG_CALLBACK that hides the query from libmicrohttpd, which would decode it
// by rules of its own and, up to 0.9.77, never answer one of 500 parameters. The byte after the
// '?' becomes the end of the string; what it was is kept in the value that the first call of the
// access handler finds as its request's context: bit 0 tells it from an object's address, bit 1
// says that there is a query, the byte itself begins at bit 8. No memory is allocated, since this
// may be the last callback that a request gets. It writes into libmicrohttpd's own buffer, which
// is writable; the test "A query of 1,000 parameters is answered" fails where that changes.
static inline void *cmhd_hide_query(void *context, const char *target, struct MHD_Connection *c)
{
    (void) context; (void) c;
    char *mark = strchr(target, '?');
    if (mark == NULL)
        return (void *) (uintptr_t) 1;
    uintptr_t hidden = (unsigned char) mark[1];
    mark[1] = '\0';
    return (void *) (hidden << 8 | 3);
}

static inline bool cmhd_is_new(void *context)
{
    return (uintptr_t) context & 1;
}

// The query behind `path`, once, with the value of cmhd_hide_query; NULL if there is none. It
// stays valid until the request has completed.
static inline const char *cmhd_reveal_query(const char *path, void *context)
{
    if (((uintptr_t) context & 2) == 0)
        return NULL;
    char *query = (char *) path + strlen(path) + 1;
    query[0] = (char) ((uintptr_t) context >> 8);
    return query;
}

// MHD_get_connection_info is variadic.
static inline int cmhd_descriptor(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

// The application's value for the connection, for the NOTIFY_CONNECTION callback to set.
static inline void *cmhd_socket_context(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

// How long the first line and the header section are, in bytes; 0 until they have been read.
static inline size_t cmhd_header_size(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return info == NULL ? 0 : info->header_size;
}

// Takes a field, which is only lent, and how many blanks stood before its value.
typedef void (*cmhd_field)(
    void *context, const char *name, size_t name_size, const char *value, size_t value_size,
    size_t blanks);

// A walk through a header section, for cmhd_read_fields.
struct cmhd_walk {
    const char *next;
    bool is_intact;
    cmhd_field field;
    void *context;
};

static inline enum MHD_Result cmhd_next_field(
    void *context, enum MHD_ValueKind kind, const char *name, size_t name_size, const char *value,
    size_t value_size)
{
    (void) kind;
    struct cmhd_walk *walk = context;
    const char *blank = name + name_size + 1;
    const size_t blanks = strspn(blank, " \t");
    const bool is_in_place = value == blank + blanks;
    walk->is_intact = walk->is_intact && name == walk->next && is_in_place
        && value[value_size] == '\0' && value[value_size + 1] == '\0';
    walk->next = blank + blanks + value_size + 2;
    walk->field(walk->context, name, name_size, value, value_size, is_in_place ? blanks : 1);
    return MHD_YES;
}

// Hands each field of a request to `field`, and returns whether libmicrohttpd reports the request
// as it was sent, from the method to the empty line. 0.9 parses the lines in place, puts NUL for
// each colon and line end, and knows where the last line ended. So a gap between the parts that it
// reports is something that it does not report: a folded line, a NUL, a line end without CR, a line
// that begins with a colon, which it takes for the empty one. 1.0 rejects all that by itself.
static inline bool cmhd_read_fields(
    struct MHD_Connection *connection, const char *method, const char *path, const char *query,
    const char *version, cmhd_field field, void *context)
{
    const char *end = query == NULL ? path : query;
    struct cmhd_walk walk = {
        .next = version + strlen(version) + 2,
        .is_intact = path == method + strlen(method) + 1 && version == end + strlen(end) + 1,
        .field = field, .context = context,
    };
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, cmhd_next_field, &walk);
    return MHD_get_version()[0] != '0'
        || (walk.is_intact && walk.next + 2 == method + cmhd_header_size(connection));
}

// Sends a response past libmicrohttpd, which needs some of the connection's memory even to reject
// a request that has taken all of it. Only in a call of the access handler before the last, or
// in a rejection of libmicrohttpd's own, which must then return MHD_NO: nothing of an earlier response
// waits to be sent. Returns whether the socket's buffer had room for all of it.
static inline bool cmhd_send_past(
    struct MHD_Connection *connection, const void *response, size_t size)
{
    ssize_t sent = send(cmhd_descriptor(connection), response, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    return sent == (ssize_t) size;
}

// Writes the time as the Date of a response (RFC 9110 §5.6.7), and returns its length.
static inline size_t cmhd_date(char *text)
{
    const time_t now = time(NULL);
    struct tm utc;
    return strftime(text, 30, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &utc));
}

// The milliseconds since some time in the past, accurate to a few, at next to no cost.
static inline int64_t cmhd_milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// The status that has been queued for the connection's request; 0 if there is none.
static inline unsigned int cmhd_status(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_HTTP_STATUS);
    return info == NULL ? 0 : info->http_status;
}

#endif
