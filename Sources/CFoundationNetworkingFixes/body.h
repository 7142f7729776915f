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
        // And what comes after it, which libcurl reads.
        TRAILER_SECTION,
    } part;
    // Of the current chunk: whether its size has begun, and what is left of it. Of the trailer section:
    // how much there was.
    bool hasDigit;
    size_t left;
} Body;

// Takes what has come; false if it is malformed, or too much.
bool take_body(Body *body, const char *data, size_t size);

#endif
