// A name server to play with: `service-a.test` has the address that stands in the file named by
// TEST_RESOLVER, or is looked up for ever if that says "hang".

#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int getaddrinfo(
    const char *restrict node, const char *restrict service,
    const struct addrinfo *restrict hints, struct addrinfo **restrict result)
{
    int (*next)(const char *, const char *, const struct addrinfo *, struct addrinfo **) =
        dlsym(RTLD_NEXT, "getaddrinfo");
    char address[64] = "";
    const char *path = getenv("TEST_RESOLVER");
    if (path != NULL && node != NULL && strcmp(node, "service-a.test") == 0) {
        FILE *file = fopen(path, "r");
        if (file == NULL || fgets(address, sizeof address, file) == NULL)
            return EAI_NONAME;
        fclose(file);
        while (strcmp(address, "hang") == 0)
            pause();
        node = address;
    }
    return next(node, service, hints, result);
}
