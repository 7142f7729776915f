// Fixes for bugs of FoundationNetworking 6.3, from outside.
//
// URLSession reaches libcurl through C functions that libFoundationNetworking.so calls by way of
// its PLT, so that a definition in the executable stands before each of them. They serve every
// URLSession of the process, which here is EchoClient's alone: it calls one configured host and
// asks for nothing of an answer but its status and its body. Issue numbers are those of
// swiftlang/swift-corelibs-foundation; "none" means that no release has a fix yet.

#define _GNU_SOURCE
#include "CFoundationNetworkingFixes.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

// As in CFURLSessionInterface.h, with libcurl's numbers.
typedef struct {
    int value;
} Option, Info, MultiOption, EasyCode, MultiCode;
typedef struct {
    void *easyHandle;
    EasyCode resultCode;
} MultiHandleInfo;
typedef size_t (*Callback)(char *data, size_t size, size_t count, void *context);
typedef int (*SocketCallback)(void *easy, int socket, int what, void *context, void *sources);

enum {
    OPT_WRITEDATA = 10001,
    OPT_PROXY = 10004,
    OPT_HEADERDATA = 10029,
    OPT_PRIVATE = 10103,
    OPT_WRITEFUNCTION = 20011,
    OPT_HEADERFUNCTION = 20079,
    OPT_DNS_CACHE_TIMEOUT = 92,
    OPT_QUICK_EXIT = 322,
    INFO_PRIVATE = 0x100000 + 21,
    POLL_IN = 1,
    POLL_REMOVE = 4,
    CODE_OK = 0,
    CODE_GOT_NOTHING = 52,
};

// More than any answer to a message that fits into a request; EchoClient knows the exact limit.
enum { BODY_LIMIT = 128 * 1024 };

// What becomes of one answer on its way from libcurl to URLSession; every handle owns one.
typedef struct {
    Callback header, write;
    void *headerContext, *writeContext;
    bool isHeaderComplete;
    size_t bodySize;
} Answer;

// The functions behind the ones here, and two that are only called.
static void *(*next_init)(void);
static void (*next_deinit)(void *);
static EasyCode (*next_setopt_ptr)(void *, Option, void *);
static EasyCode (*next_setopt_wc)(void *, Option, Callback);
static EasyCode (*next_getinfo_double)(void *, Info, double *);
static MultiHandleInfo (*next_info_read)(void *, int *);
static MultiCode (*next_multi_setopt_sf)(void *, MultiOption, SocketCallback);
static EasyCode (*setopt_long)(void *, Option, long);
static EasyCode (*getinfo_charp)(void *, Info, char **);

// All or nothing: in a Foundation that lacks one of them, everything stays as it is.
static bool isActive;

__attribute__((constructor)) static void find_functions(void)
{
    next_init = dlsym(RTLD_NEXT, "CFURLSessionEasyHandleInit");
    next_deinit = dlsym(RTLD_NEXT, "CFURLSessionEasyHandleDeinit");
    next_setopt_ptr = dlsym(RTLD_NEXT, "CFURLSession_easy_setopt_ptr");
    next_setopt_wc = dlsym(RTLD_NEXT, "CFURLSession_easy_setopt_wc");
    next_getinfo_double = dlsym(RTLD_NEXT, "CFURLSession_easy_getinfo_double");
    next_info_read = dlsym(RTLD_NEXT, "CFURLSessionMultiHandleInfoRead");
    next_multi_setopt_sf = dlsym(RTLD_NEXT, "CFURLSession_multi_setopt_sf");
    setopt_long = dlsym(RTLD_NEXT, "CFURLSession_easy_setopt_long");
    getinfo_charp = dlsym(RTLD_NEXT, "CFURLSession_easy_getinfo_charp");
    isActive = next_init && next_deinit && next_setopt_ptr && next_setopt_wc
        && next_getinfo_double && next_info_read && next_multi_setopt_sf && setopt_long
        && getinfo_charp;
}

bool cfnf_are_active(void)
{
    // Another definition would come first if the executable did not export its own.
    return isActive && dlsym(RTLD_DEFAULT, "CFURLSessionEasyHandleInit") != (void *) next_init;
}

static Answer *answer_of(void *handle)
{
    char *answer = NULL;
    if (isActive)
        getinfo_charp(handle, (Info) {INFO_PRIVATE}, &answer);
    return (Answer *) answer;
}

// libcurl calls this with each line of a header section, of a trailer section too.
static size_t header_line(char *line, size_t size, size_t count, void *context)
{
    Answer *answer = context;
    size_t length = size * count;
    bool isStatus = length > 12 && strncmp(line, "HTTP/", 5) == 0;
    if (isStatus && answer->bodySize == 0) {
        // Another header section follows where the last one was of an interim response (100, 103).
        // In a form that URLSession can read: it wants a reason phrase (none).
        char status[] = "HTTP/1.1 000 -\r\n";
        memcpy(status + 9, line + 9, 3);
        answer->isHeaderComplete = false;
        size_t taken = answer->header(status, 1, sizeof status - 1, answer->headerContext);
        return taken == sizeof status - 1 ? length : 0;
    }
    bool isEnd = length <= 2;
    if (isEnd && !answer->isHeaderComplete) {
        answer->isHeaderComplete = true;
        return answer->header(line, size, count, answer->headerContext);
    }
    // A field. Nobody asks for any, and URLSession would
    // - end the process for one in a trailer section (none);
    // - end the process for `Location: //%zz/` (none), and follow any other;
    // - never complete the task for `WWW-Authenticate: Basic` (#5457, 6.3.2);
    // - fail where no space follows the colon (#5527, 6.4);
    // - take seconds for 20,000 of them (none).
    return length;
}

static size_t body_part(char *data, size_t size, size_t count, void *context)
{
    Answer *answer = context;
    answer->bodySize += size * count;
    // URLSession collects whatever comes, in memory (#3204).
    return answer->bodySize > BODY_LIMIT ? 0
                                         : answer->write(data, size, count, answer->writeContext);
}

EasyCode CFURLSession_easy_setopt_ptr(void *handle, Option option, void *value)
{
    Answer *answer = answer_of(handle);
    if (answer != NULL && option.value == OPT_HEADERDATA) {
        answer->headerContext = value;
        value = answer;
    } else if (answer != NULL && option.value == OPT_WRITEDATA) {
        answer->writeContext = value;
        value = answer;
    }
    return next_setopt_ptr(handle, option, value);
}

EasyCode CFURLSession_easy_setopt_wc(void *handle, Option option, Callback callback)
{
    Answer *answer = answer_of(handle);
    if (answer != NULL && option.value == OPT_HEADERFUNCTION) {
        answer->header = callback;
        callback = header_line;
    } else if (answer != NULL && option.value == OPT_WRITEFUNCTION) {
        answer->write = callback;
        callback = body_part;
    }
    return next_setopt_wc(handle, option, callback);
}

void *CFURLSessionEasyHandleInit(void)
{
    void *handle = next_init();
    if (handle == NULL || !isActive)
        return handle;
    next_setopt_ptr(handle, (Option) {OPT_PRIVATE}, calloc(1, sizeof(Answer)));
    // Whatever the environment says: connectionProxyDictionary is ignored (#5199).
    next_setopt_ptr(handle, (Option) {OPT_PROXY}, "");
    // libcurl keeps the address of a name for 60 s, and there is no setting for it: Service A at a
    // new address would be called at the old one for so long (none).
    setopt_long(handle, (Option) {OPT_DNS_CACHE_TIMEOUT}, 0);
    // Cancelling a call waits for its name look-up, and all sessions wait for it (none).
    setopt_long(handle, (Option) {OPT_QUICK_EXIT}, 1);
    return handle;
}

void CFURLSessionEasyHandleDeinit(void *handle)
{
    Answer *answer = answer_of(handle);
    next_deinit(handle);
    free(answer);
}

// Without this a Content-Length from 2^63 - 512 on ends the process: Int64(Double) (none).
EasyCode CFURLSession_easy_getinfo_double(void *handle, Info info, double *value)
{
    EasyCode code = next_getinfo_double(handle, info, value);
    if (isActive && code.value == CODE_OK && *value > 1e15)
        *value = 1e15;
    return code;
}

// Without this an answer that ends inside its header section, which is none to libcurl's mind an
// error, ends the process: "Transfer completed, but there's no response" (#5286, 6.4).
MultiHandleInfo CFURLSessionMultiHandleInfoRead(void *multi, int *left)
{
    MultiHandleInfo info = next_info_read(multi, left);
    Answer *answer = info.easyHandle == NULL ? NULL : answer_of(info.easyHandle);
    if (answer != NULL && info.resultCode.value == CODE_OK && !answer->isHeaderComplete)
        info.resultCode.value = CODE_GOT_NOTHING;
    return info;
}

// All multi handles have the same one.
static SocketCallback next_socket;

static int socket_wanted(void *easy, int socket, int what, void *context, void *sources)
{
    if (what == POLL_IN && sources != NULL) {
        next_socket(easy, socket, POLL_REMOVE, context, sources);
        sources = NULL;
    }
    return next_socket(easy, socket, what, context, sources);
}

// Without this a call on a new connection that waits for its answer takes a whole core: the source
// that waits for the socket to be writable, as it is while libcurl connects, is never cancelled
// when libcurl goes on to wait for input alone (none).
MultiCode CFURLSession_multi_setopt_sf(void *multi, MultiOption option, SocketCallback callback)
{
    if (!isActive)
        return next_multi_setopt_sf(multi, option, callback);
    next_socket = callback;
    return next_multi_setopt_sf(multi, option, socket_wanted);
}

// The original leaks 150 bytes and more on every call (#5498, main), and takes no IPv6 address
// (#5496, main). It is to make sure that URLSession and libcurl read a URL alike; here there is but
// one, and it is the operator's.
bool CFURLSessionCurlHostIsEqual(const char *url, const char *host)
{
    (void) url; (void) host;
    return true;
}
