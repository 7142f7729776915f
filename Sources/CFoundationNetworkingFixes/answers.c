// What an answer may be and how large it may get.
//
// libcurl calls URLSession back with each line of an answer's header section, and with each part of
// its body, to which chunks and their trailer section belong here (body.c). Neither has a limit: an answer without an end goes on until the call is
// cancelled, which waits for the queue that reads it, and libcurl keeps every line. And some lines
// make URLSession end the process.
//
// Here a callback of ours stands between the two. It looks at each line and part, counts them, and
// passes on no more than URLSession needs: a status line, an empty line, and the body in one part. To
// refuse one, it returns 0: libcurl ends the transfer with CODE_WRITE_ERROR. libcurl also asks after
// each read whether to go on. How long an answer may take is in timers.c.

#include "answers.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

enum {
    // Of status and header lines, those of interim responses (100, 103) among them.
    LINE_COUNT_LIMIT = 1000,
    LINE_SIZE_LIMIT = 64 * 1024,
    // Of all that is read for one answer, even of what libcurl does not pass on: the sizes and
    // extensions of chunks. A body in chunks of one byte is six times as long.
    READ_LIMIT = 1024 * 1024,
};

Answer *answer_of(void *easy)
{
    char *answer = NULL;
    if (isActive)
        next.getinfo_charp(easy, (Info) {INFO_PRIVATE}, &answer);
    return (Answer *) answer;
}

// libcurl calls this with each line of a header section.
static size_t header_line(char *line, size_t size, size_t count, void *context)
{
    Answer *answer = context;
    size_t length = size * count;
    answer->lineCount += 1;
    answer->lineSize += length;
    if (answer->lineCount > LINE_COUNT_LIMIT || answer->lineSize > LINE_SIZE_LIMIT)
        return 0;
    if (answer->part == STATUS_LINE) {
        if (!is_status_line(line, length))
            return 0;
        answer->status = atoi(line + 9);
        // No other answer follows 101.
        bool isInterim = answer->status < 200 && answer->status != 101;
        answer->part = isInterim ? INTERIM_SECTION : HEADER_SECTION;
        if (isInterim)
            return length;
        // In a form that URLSession can read: it wants a reason phrase (none).
        char status[] = "HTTP/1.1 000 -\r\n";
        memcpy(status + 9, line + 9, 3);
        size_t taken = answer->header(status, 1, sizeof status - 1, answer->headerContext);
        return taken == sizeof status - 1 ? length : 0;
    }
    if (answer->part == HEADER_SECTION
        && !is_framing_clear(line, length, answer->status, &answer->framing))
        return 0;
    if (answer->part == HEADER_SECTION && is_transfer_coding(line, length)) {
        answer->body.isChunked = true;
        answer->receivedBefore = received(answer->socket);
    }
    // Only CRLF ends a section for URLSession, and without an end "there's no response" to it, which
    // ends the process (none). libcurl takes any line for the end that begins with CR or LF, and
    // `:` for a field.
    bool isEnd = length == 2 && memcmp(line, "\r\n", 2) == 0;
    if (!isEnd && (length <= 2 || memchr("\r\n", *line, 2) != NULL))
        return 0;
    if (isEnd && answer->part == INTERIM_SECTION)
        answer->part = STATUS_LINE;
    if (isEnd && answer->part == HEADER_SECTION) {
        answer->part = REST;
        size_t taken = answer->header(line, size, count, answer->headerContext);
        return answer->status == 101 ? 0 : taken;
    }
    // A field. Nobody needs any, and URLSession would
    // - end the process for `Location: //%zz/` (none), and follow any other;
    // - never complete the task for `WWW-Authenticate: Basic` (#5457, 6.3.2);
    // - fail where no space follows the colon (#5527, 6.4);
    // - take seconds for 20,000 of them (none).
    return length;
}

static size_t body_part(char *data, size_t size, size_t count, void *context)
{
    Answer *answer = context;
    return take_body(&answer->body, data, size * count) ? size * count : 0;
}

void watch_answer(void *easy, int socket)
{
    Answer *answer = answer_of(easy);
    if (answer == NULL)
        return;
    // The first lines can have come before.
    if (answer->socket < 0)
        answer->receivedBefore = received(socket);
    answer->socket = socket;
}

// libcurl calls this when it has read, after 100 times at the latest, and ends the transfer if the
// result is not 0.
static int progress(
    void *context, long long total, long long current, long long sendTotal, long long sendCurrent)
{
    (void) total; (void) current; (void) sendTotal; (void) sendCurrent;
    Answer *answer = context;
    // The last time is just before libcurl decides whether to keep the connection. Up to 7.88 it
    // takes what comes behind the answer for the answer to the next request (curl #10690, 8.0); what
    // comes later is in connections.c.
    int unread = 0;
    if (answer->part == REST) {
        ioctl(answer->socket, FIONREAD, &unread);
        next.setopt_long(answer->easy, (Option) {OPT_FORBID_REUSE},
            unread > 0 || answer->body.hasMore);
    }
    return answer->body.isChunked
        && received(answer->socket) > answer->receivedBefore + READ_LIMIT;
}

EasyCode CFURLSession_easy_setopt_ptr(void *easy, Option option, void *value)
{
    Answer *answer = answer_of(easy);
    if (answer != NULL && option.value == OPT_HEADERDATA) {
        answer->headerContext = value;
        value = answer;
    } else if (answer != NULL && option.value == OPT_WRITEDATA) {
        answer->writeContext = value;
        value = answer;
    } else if (answer != NULL && option.value == OPT_PROGRESSDATA) {
        value = answer;
    } else if (answer != NULL && option.value == OPT_ERRORBUFFER) {
        answer->errorText = value;
    }
    return next.setopt_ptr(easy, option, value);
}

EasyCode CFURLSession_easy_setopt_wc(void *easy, Option option, DataCallback callback)
{
    Answer *answer = answer_of(easy);
    if (answer != NULL && option.value == OPT_HEADERFUNCTION) {
        answer->header = callback;
        callback = header_line;
    } else if (answer != NULL && option.value == OPT_WRITEFUNCTION) {
        answer->write = callback;
        callback = body_part;
    }
    return next.setopt_wc(easy, option, callback);
}

// URLSession's own does nothing, and is not called.
EasyCode CFURLSession_easy_setopt_tc(void *easy, Option option, ProgressCallback callback)
{
    bool isOurs = answer_of(easy) != NULL && option.value == OPT_XFERINFOFUNCTION;
    return next.setopt_tc(easy, option, isOurs ? progress : callback);
}

EasyCode CFURLSession_easy_setopt_long(void *easy, Option option, long value)
{
    // Content is not decoded: 2 KB in four layers of gzip can take libcurl minutes (none).
    bool isOff = option.value == OPT_NOPROGRESS || option.value == OPT_HTTP_CONTENT_DECODING;
    return next.setopt_long(easy, option, isOff && answer_of(easy) != NULL ? 0 : value);
}

void begin_answer(void *easy)
{
    Answer *answer = calloc(1, sizeof *answer);
    if (answer == NULL)
        return;
    answer->easy = easy;
    answer->start = now();
    answer->socket = -1;
    note_begin(answer);
    next.setopt_ptr(easy, (Option) {OPT_PRIVATE}, answer);
}

void CFURLSessionEasyHandleDeinit(void *easy)
{
    Answer *answer = answer_of(easy);
    if (answer != NULL && answer->lineCount == 0)
        note_silence(easy, answer->start);
    next.deinit(easy);
    if (answer == NULL)
        return;
    note_end(answer);
    free(answer->body.bytes);
    free(answer);
}
