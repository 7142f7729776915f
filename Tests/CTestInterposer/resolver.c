// A name server to play with: `service-a.test` has the address that stands in the file named by
// TEST_RESOLVER, or is looked up for ever if that says "hang". A look-up takes a moment, as over a
// network, and adds a byte to the file whose name ends in .lookups.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Weak, since the tests link Service B's, too.
__attribute__((weak)) int getaddrinfo(
    const char *restrict node, const char *restrict service,
    const struct addrinfo *restrict hints, struct addrinfo **restrict result)
{
    int (*next)(const char *, const char *, const struct addrinfo *, struct addrinfo **) =
        dlsym(RTLD_NEXT, "getaddrinfo");
    char address[64] = "";
    const char *path = getenv("TEST_RESOLVER");
    if (path != NULL && node != NULL && strcmp(node, "service-a.test") == 0) {
        char lookups[256];
        snprintf(lookups, sizeof lookups, "%s.lookups", path);
        int log = open(lookups, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (log < 0 || write(log, ".", 1) != 1 || close(log) != 0)
            return EAI_NONAME;
        usleep(50000);
        FILE *file = fopen(path, "r");
        if (file == NULL || fgets(address, sizeof address, file) == NULL)
            return EAI_NONAME;
        fclose(file);
        while (strcmp(address, "hang") == 0)
            pause();
        node = address;
    }
    // Of several addresses, the others follow the first.
    char *others = strchr(address, ' ');
    if (others != NULL)
        *others++ = '\0';
    int code = next(node, service, hints, result);
    while (code == 0 && others != NULL) {
        node = others;
        others = strchr(node, ' ');
        if (others != NULL)
            *others++ = '\0';
        struct addrinfo **end = &(*result)->ai_next;
        while (*end != NULL)
            end = &(*end)->ai_next;
        code = next(node, service, hints, end);
    }
    return code;
}
