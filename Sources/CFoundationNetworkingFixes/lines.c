// Which lines of an answer are malformed.
//
// libcurl is lenient: it guesses what a line means. Another reader of the same connection, such as
// a proxy, can guess differently, and see another answer.

#include "answers.h"

#include <limits.h>
#include <string.h>
#include <strings.h>

static bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

// libcurl accepts these letters in lower case as well, and then takes any status for 200, and
// accepts a version such as 2.0 or x.1, which are not HTTP/1 (RFC 9112 §2.3).
bool is_status_line(const char *line, size_t size)
{
    return size > 12 && memcmp(line, "HTTP/1.", 7) == 0 && is_digit(line[7]) && line[8] == ' '
        && is_digit(line[9]) && is_digit(line[10]) && is_digit(line[11])
        && memchr(" \r\n", line[12], 3) != NULL;
}

static bool has_name(const char *line, size_t size, const char *name)
{
    return size > strlen(name) && strncasecmp(line, name, strlen(name)) == 0;
}

static bool is_blank(char character)
{
    return character == ' ' || character == '\t';
}

// To libcurl that is no field that it knows; a proxy removes the blank (RFC 9112 §5.1).
static bool has_blank_after(const char *line, size_t size, const char *name)
{
    return has_name(line, size, name) && is_blank(line[strlen(name)]);
}

// Without CRLF or LF.
static const char *end_of(const char *line, size_t size)
{
    const char *end = line + size;
    end -= end > line && end[-1] == '\n';
    return end - (end > line && end[-1] == '\r');
}

bool is_transfer_coding(const char *line, size_t size)
{
    return has_name(line, size, "transfer-encoding:");
}

// libcurl would ignore any other one here: it decodes nothing (RFC 9112 §6.1).
static bool is_coding_known(const char *line, size_t size)
{
    const char *value = line + strlen("transfer-encoding:"), *end = end_of(line, size);
    if (!is_transfer_coding(line, size))
        return true;
    while (value < end && is_blank(*value))
        ++value;
    while (end > value && is_blank(end[-1]))
        --end;
    return end - value == 7 && strncasecmp(value, "chunked", 7) == 0;
}

// libcurl takes the digits that a Content-Length begins with, and the last of several (RFC 9110
// §8.6).
static bool is_length_clear(const char *line, size_t size, Framing *framing)
{
    static const char name[] = "content-length:";
    const char *rest = line + sizeof name - 1, *end = end_of(line, size);
    if (!has_name(line, size, name))
        return true;
    for (;;) {
        unsigned long long number = 0;
        while (rest < end && is_blank(*rest))
            ++rest;
        const char *digits = rest;
        for (; rest < end && is_digit(*rest); ++rest) {
            if (number > LLONG_MAX / 10)
                return false;
            number = number * 10 + (unsigned) (*rest - '0');
        }
        bool isOther = framing->isLengthKnown && framing->length != number;
        if (rest == digits || number > LLONG_MAX || isOther)
            return false;
        framing->isLengthKnown = true;
        framing->length = number;
        while (rest < end && is_blank(*rest))
            ++rest;
        if (rest == end)
            return true;
        if (*rest++ != ',')
            return false;
    }
}

bool is_framing_clear(const char *line, size_t size, int status, Framing *framing)
{
    bool isFolded = framing->isOpen && is_blank(*line);
    framing->isOpen = is_transfer_coding(line, size) || has_name(line, size, "content-length:");
    // The content of another status is not used.
    return !isFolded && !has_blank_after(line, size, "transfer-encoding")
        && !has_blank_after(line, size, "content-length") && is_length_clear(line, size, framing)
        && (status != 200 || is_coding_known(line, size));
}

// Without this a Content-Length from 2^63 - 512 on ends the process: Int64(Double) (none).
EasyCode CFURLSession_easy_getinfo_double(void *easy, Info info, double *value)
{
    EasyCode code = next.getinfo_double(easy, info, value);
    if (isActive && code.value == CODE_OK && *value > 1e15)
        *value = 1e15;
    return code;
}
