// The limit of Service A: the same answer from libmicrohttpd and nothing between, set up as in
// Sources/CMicroHTTPD/shim.h. It makes no request id, escapes nothing and writes no log.
//
// Takes the port, and the header fields of the answer as name, value, name, value, ...

#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

// As in Sources/CMicroHTTPDFixes/fixes.c, or else it would stop at 128 and 256 connections.
int epoll_wait(int descriptor, struct epoll_event *events, int count, int milliseconds)
{
    return epoll_pwait(descriptor, events, count < 127 ? count : 127, milliseconds, NULL);
}

static enum MHD_Result answer(
    void *fields, struct MHD_Connection *connection, const char *path, const char *method,
    const char *version, const char *content, size_t *content_size, void **request)
{
    (void) method; (void) version; (void) content;
    // An answer to the first call would close the connection.
    static int seen;
    if (*request == NULL) {
        *request = &seen;
        return MHD_YES;
    }
    if (*content_size > 0) {
        *content_size = 0;
        return MHD_YES;
    }
    const char *message
        = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "msg");
    if (message == NULL)
        message = "no message";
    unsigned status = strcmp(path, "/echo") == 0 ? MHD_HTTP_OK : MHD_HTTP_NOT_FOUND;
    char *body = malloc(strlen(message) + sizeof "{\"echo\":\"\"}\n");
    int size = sprintf(body, "{\"echo\":\"%s\"}\n", message);
    struct MHD_Response *response
        = MHD_create_response_from_buffer((size_t) size, body, MHD_RESPMEM_MUST_FREE);
    for (char **field = fields; field[0] != NULL && field[1] != NULL; field += 2)
        MHD_add_response_header(response, field[0], field[1]);
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

int main(int count, char **arguments)
{
    (void) count;
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((unsigned short) atoi(arguments[1])),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, answer,
        arguments + 2,
        MHD_OPTION_SOCK_ADDR, &address,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned) (files.rlim_max / 2),
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t) 24 * 1024,
        MHD_OPTION_END);
    if (daemon == NULL)
        return 1;
    pause();
    return 0;
}
