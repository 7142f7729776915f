// How a call has ended.
//
// libcurl has a code and a text for that, and URLSession makes an error of both, and of the last
// error of a connection, which libcurl keeps when another one has been made. Here each is what it
// would be for a first connection.

#include "answers.h"

#include <errno.h>

// A connection can be reset before libcurl has looked whether it is open. To libcurl, that is one
// that could not be made.
static bool was_reset(void *easy)
{
    long error = 0;
    next.getinfo_long(easy, (Info) {INFO_OS_ERRNO}, &error);
    return error == ECONNRESET;
}

// Whether a transfer has ended with its connection.
static bool is_of_connection(int code)
{
    return code == CODE_COULDNT_CONNECT || code == CODE_PARTIAL_FILE || code == CODE_GOT_NOTHING
        || code == CODE_SEND_ERROR || code == CODE_RECV_ERROR || code == CODE_ABORTED_BY_CALLBACK;
}

// A transfer has ended.
MultiHandleInfo CFURLSessionMultiHandleInfoRead(void *multi, int *left)
{
    MultiHandleInfo info = next.info_read(multi, left);
    Answer *answer = info.easyHandle == NULL ? NULL : answer_of(info.easyHandle);
    if (answer == NULL)
        return info;
    if (answer->socket < 0)
        note_short_use(info.easyHandle);
    int *code = &info.resultCode.value;
    answer->code = *code;
    bool isEnded = *code == CODE_WRITE_ERROR
        || (*code == CODE_ABORTED_BY_CALLBACK && answer->part == REST);
    // libcurl keeps the first text of a transfer: that of a connection that was reset, and replaced.
    if (answer->errorText != NULL && (isEnded || !is_of_connection(*code)))
        answer->errorText[0] = '\0';
    // For an answer that was ended here, its status says more.
    if (isEnded && answer->part == REST && answer->status != 200)
        *code = CODE_OK;
    if (*code == CODE_COULDNT_CONNECT && was_reset(info.easyHandle))
        *code = CODE_GOT_NOTHING;
    if (*code != CODE_OK)
        return info;
    // An answer that ends inside its header section, no error to libcurl, ends the process:
    // "Transfer completed, but there's no response" (#5286, 6.4). And one that ends before the last LF
    // of its chunks is no error either.
    bool isCutOff = answer->status == 200 && answer->body.isChunked && answer->body.part != BODY_END;
    if (answer->part != REST || isCutOff)
        *code = CODE_GOT_NOTHING;
    else if (answer->body.size > 0
        && answer->write(answer->body.bytes, 1, answer->body.size, answer->writeContext)
            != answer->body.size)
        *code = CODE_WRITE_ERROR;
    return info;
}

// Whatever the code, "connection refused" is URLSession's error where an address has refused, even
// if the next one did not (none).
EasyCode CFURLSession_easy_getinfo_long(void *easy, Info info, long *value)
{
    EasyCode code = next.getinfo_long(easy, info, value);
    Answer *answer = info.value == INFO_OS_ERRNO ? answer_of(easy) : NULL;
    if (answer != NULL && answer->code != CODE_COULDNT_CONNECT && *value == ECONNREFUSED)
        *value = 0;
    return code;
}
