/* Preloaded into a host: notes in the file VF_TEST_SEEN what ONNX Runtime would read about its
 * telemetry, and switches it off in any case, so that a test of what leaves it on sends nothing. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

typedef char *(*getenv_function)(const char *name);

char *getenv(const char *name)
{
    static char off[] = "1";
    getenv_function next;
    *(void **)&next = dlsym(RTLD_NEXT, "getenv");
    if (strcmp(name, "ORT_DISABLE_TELEMETRY") != 0) {
        return next(name);
    }
    const char *value = next(name);
    FILE *seen = fopen(next("VF_TEST_SEEN"), "a");
    if (seen != NULL) {
        fprintf(seen, "%s\n", value == NULL ? "none" : value);
        fclose(seen);
    }
    return off;
}
