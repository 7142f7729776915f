#define _GNU_SOURCE
#include "CTestInterposer.h"

#include <stddef.h>
#include <sys/resource.h>

bool cti_limit_files(int pid, unsigned long count)
{
    struct rlimit limit;
    if (prlimit(pid, RLIMIT_NOFILE, NULL, &limit) != 0)
        return false;
    limit.rlim_cur = count;
    return prlimit(pid, RLIMIT_NOFILE, &limit, NULL) == 0;
}
