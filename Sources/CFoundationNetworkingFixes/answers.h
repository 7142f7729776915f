#ifndef ANSWERS_H
#define ANSWERS_H

#include "body.h"
#include "functions.h"

#pragma GCC visibility push(hidden)

// What an answer has said of the length of its content.
typedef struct {
    bool isLengthKnown;
    unsigned long long length;
    // Whether the next line may belong to it, if that is folded.
    bool isOpen;
} Framing;

// One answer on its way from libcurl to URLSession; every handle owns one.
typedef struct Answer {
    // Of all, in the order of their starts.
    struct Answer *older, *newer;
    void *easy;
    uint64_t start;
    DataCallback header, write;
    void *headerContext, *writeContext;
    // Of libcurl's error, for URLSession.
    char *errorText;
    // How the transfer ended, to libcurl; CODE_OK before.
    int code;
    // What the next line is of.
    enum { STATUS_LINE, INTERIM_SECTION, HEADER_SECTION, REST } part;
    int status;
    size_t lineCount, lineSize;
    Framing framing;
    Body body;
    // -1 until libcurl waits for it.
    int socket;
    // What had come before a body in chunks, of which more can come than is data.
    uint64_t receivedBefore;
} Answer;

// Gives a new handle its answer, which frees it when it has gone.
void begin_answer(void *easy);

// It is one of those under way, from its start until libcurl is done with it.
void note_begin(Answer *answer);
void note_end(Answer *answer);

// NULL if there is none.
Answer *answer_of(void *easy);

// A handle connects this socket, or waits for its answer there.
void watch_answer(void *easy, int socket);

// Whether the first line of an answer is one of HTTP/1.
bool is_status_line(const char *line, size_t size);

// Whether a line of a header section is read alike by all: a Content-Length is one number, the same
// as the one before; a Transfer-Encoding is chunked; neither is folded.
bool is_framing_clear(const char *line, size_t size, int status, Framing *framing);

// Whether a line is a Transfer-Encoding.
bool is_transfer_coding(const char *line, size_t size);

#pragma GCC visibility pop

#endif
