// The body of an answer, and its chunks (RFC 9112 §7.1).
//
// URLSession keeps everything in memory (#3204), and makes a new timer for each part, which for a
// body in chunks of one byte takes seconds (none). It gets the body in one part, at the end.
//
// libcurl takes the digits that the first line of a chunk begins with, and ignores the rest: `5x`,
// and `0x5` for the last chunk. Another reader of the same connection can find another end. So
// libcurl passes on the chunks as they came, and the data is taken out of them here.

#include "body.h"

#include <stdlib.h>
#include <string.h>

enum {
    // More than any answer to a message that fits into a request; EchoClient knows the exact limit.
    BODY_LIMIT = 128 * 1024,
    TRAILER_LIMIT = 64 * 1024,
};

static bool add(Body *body, const char *data, size_t size)
{
    size_t newSize = body->size + size;
    if (newSize > BODY_LIMIT)
        return false;
    if (newSize > body->capacity) {
        char *bytes = realloc(body->bytes, 2 * newSize);
        if (bytes == NULL)
            return false;
        body->bytes = bytes;
        body->capacity = 2 * newSize;
    }
    memcpy(body->bytes + body->size, data, size);
    body->size = newSize;
    return true;
}

// The value of a hexadecimal digit; -1 for any other character.
static int digit(char character)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *found = memchr(digits, character, sizeof digits - 1);
    return found == NULL ? -1 : (int) (found - digits) & 15;
}

static bool take_size(Body *body, char character)
{
    int value = digit(character);
    if (value >= 0) {
        body->hasDigit = true;
        body->left = body->left << 4 | (size_t) value;
        return body->left <= BODY_LIMIT && body->part == CHUNK_SIZE;
    }
    body->part = character == '\r' ? CHUNK_SIZE_LF
        : character == ';' ? CHUNK_EXTENSION : CHUNK_BLANKS;
    return body->hasDigit && memchr("\r; \t", character, 4) != NULL;
}

// Takes a character that is not data; false if it must not be there.
static bool take_character(Body *body, char character)
{
    switch (body->part) {
    case CHUNK_SIZE:
    case CHUNK_BLANKS:
        return take_size(body, character);
    case CHUNK_EXTENSION:
        if (character == '\r')
            body->part = CHUNK_SIZE_LF;
        return character == '\r' || character == '\t' || (unsigned char) character >= ' ';
    case CHUNK_SIZE_LF:
        body->part = body->left > 0 ? CHUNK_DATA : TRAILER_LINE;
        return character == '\n';
    case CHUNK_DATA:
        body->part = CHUNK_DATA_LF;
        return character == '\r';
    case CHUNK_DATA_LF:
        body->part = CHUNK_SIZE;
        body->hasDigit = false;
        return character == '\n';
    case TRAILER_LINE:
        body->part = character == '\r' ? TRAILER_END_LF : TRAILER_FIELD;
        return character != '\n';
    case TRAILER_FIELD:
        body->left += 1;
        if (character == '\r')
            body->part = TRAILER_FIELD_LF;
        return character != '\n' && body->left <= TRAILER_LIMIT;
    case TRAILER_FIELD_LF:
        body->part = TRAILER_LINE;
        return character == '\n';
    case TRAILER_END_LF:
        body->part = BODY_END;
        return character == '\n';
    case BODY_END:
        body->hasMore = true;
        return true;
    }
    return false;
}

bool take_body(Body *body, const char *data, size_t size)
{
    if (!body->isChunked)
        return add(body, data, size);
    for (const char *end = data + size; data < end;) {
        size_t rest = (size_t) (end - data), count = rest < body->left ? rest : body->left;
        bool isData = body->part == CHUNK_DATA && count > 0;
        if (isData ? !add(body, data, count) : !take_character(body, *data))
            return false;
        body->left -= isData ? count : 0;
        data += isData ? count : 1;
    }
    return true;
}
