#ifndef BODY_H
#define BODY_H

#include <stdbool.h>
#include <stddef.h>

// The body of an answer, as far as it has come.
typedef struct {
    char *bytes;
    size_t size, capacity;
    bool isChunked;
    // What the next character is of, if it is in chunks.
    enum {
        CHUNK_SIZE, CHUNK_BLANKS, CHUNK_EXTENSION, CHUNK_SIZE_LF, CHUNK_DATA, CHUNK_DATA_LF,
        // Of the trailer section, which libcurl reads.
        TRAILER_LINE, TRAILER_FIELD, TRAILER_FIELD_LF, TRAILER_END_LF,
        BODY_END,
    } part;
    // Of the current chunk: whether its size has begun, and what is left of it. Of the trailer section:
    // how much there was.
    bool hasDigit;
    size_t left;
    // Whether something follows that is no part of the answer.
    bool hasMore;
} Body;

// Takes what has come; false if it is malformed, or too much.
bool take_body(Body *body, const char *data, size_t size);

#endif
