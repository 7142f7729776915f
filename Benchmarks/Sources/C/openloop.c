// Latency at a fixed rate: a request falls due every 1/RATE seconds, whether or not those before it
// have been answered, and its latency counts from when it was due. So what a slow answer keeps from
// being sent in time is counted too, which a closed loop such as wrk's omits.
//
// openloop PORT TARGET BODY RATE SECONDS CONNECTIONS, after a second of warm-up. Fails on any answer
// that is not 200 with this body; writes one line of JSON, latencies in microseconds.

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SECOND = 1000000000 };

static struct sockaddr_in address;
static const char *body;
static char request[16 * 1024];
static long rate, total;
static long long start, *latencies;
static atomic_long next;

static void fail(const char *why)
{
    fprintf(stderr, "openloop: %s\n", why);
    exit(1);
}

static long long now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (long long) time.tv_sec * SECOND + time.tv_nsec;
}

static void exchange(int fd)
{
    char answer[32 * 1024];
    size_t size = 0;
    if (send(fd, request, strlen(request), MSG_NOSIGNAL) != (ssize_t) strlen(request))
        fail("cannot send");
    const char *content = NULL, *length = NULL;
    do {
        ssize_t count = recv(fd, answer + size, sizeof answer - 1 - size, 0);
        if (count <= 0)
            fail("no answer");
        size += (size_t) count;
        answer[size] = '\0';
        content = strstr(answer, "\r\n\r\n");
        length = strstr(answer, "Content-Length: ");
    } while (content == NULL || length == NULL
        || strlen(content + 4) < strtoul(length + strlen("Content-Length: "), NULL, 10));
    if (strncmp(answer, "HTTP/1.1 200 ", 13) != 0 || strcmp(content + 4, body) != 0)
        fail("a wrong answer");
}

// Each connection takes the next request that nobody has taken, waits until it is due, and sends it.
static void *connection(void *context)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *) &address, sizeof address) != 0)
        fail("cannot connect");
    for (long n; (n = atomic_fetch_add(&next, 1)) < total;) {
        long long due = start + n * (SECOND / rate);
        struct timespec time = {due / SECOND, due % SECOND};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
        exchange(fd);
        latencies[n] = now() - due;
    }
    close(fd);
    return context;
}

static int ascending(const void *a, const void *b)
{
    long long x = *(const long long *) a, y = *(const long long *) b;
    return (x > y) - (x < y);
}

int main(int count, char **arguments)
{
    if (count != 7)
        fail("takes PORT TARGET BODY RATE SECONDS CONNECTIONS");
    address = (struct sockaddr_in) {
        .sin_family = AF_INET,
        .sin_port = htons((unsigned short) atoi(arguments[1])),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", arguments[2]);
    body = arguments[3];
    rate = atol(arguments[4]);
    total = rate * (1 + atol(arguments[5]));
    latencies = calloc((size_t) total, sizeof *latencies);
    int connections = atoi(arguments[6]);
    pthread_t threads[connections];
    // Wake-ups on time, not up to 50 microseconds later.
    prctl(PR_SET_TIMERSLACK, 1);
    start = now() + SECOND / 10;
    for (int i = 0; i < connections; i++)
        pthread_create(&threads[i], NULL, connection, NULL);
    for (int i = 0; i < connections; i++)
        pthread_join(threads[i], NULL);

    long long *measured = latencies + rate;
    long n = total - rate;
    qsort(measured, (size_t) n, sizeof *measured, ascending);
    printf("{\"p50\": %.1f, \"p99\": %.1f, \"max\": %.1f}\n", (double) measured[n / 2] / 1e3,
        (double) measured[n * 99 / 100] / 1e3, (double) measured[n - 1] / 1e3);
    return 0;
}
