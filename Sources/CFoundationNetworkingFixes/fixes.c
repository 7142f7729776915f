// FoundationNetworking reaches libcurl through C functions of its own, which it calls by way of the
// PLT; a definition in the executable stands before them. Service B builds and works without this
// target, and is only less safe. A function that is missing in another Foundation is left alone.

#define _GNU_SOURCE
#include <dlfcn.h>

typedef struct {
    int value;
} CFURLSessionOption, CFURLSessionEasyCode;

// libcurl keeps the address of a name for 60 s, and URLSession has no setting for it: Service A at
// a new address would be called at the old one for so long. A connection that is kept alive needs
// no look-up, with or without. No upstream issue; CURLOPT_DNS_CACHE_TIMEOUT (92) is never set.
void *CFURLSessionEasyHandleInit(void)
{
    void *(*init)(void) = dlsym(RTLD_NEXT, "CFURLSessionEasyHandleInit");
    CFURLSessionEasyCode (*set)(void *, CFURLSessionOption, long) =
        dlsym(RTLD_NEXT, "CFURLSession_easy_setopt_long");
    void *handle = init();
    if (handle != 0 && set != 0)
        set(handle, (CFURLSessionOption) {92}, 0);
    return handle;
}
