//go:build dlopen

/* The functions of libvoiceflow for a program that is built without it: each is looked up in the
 * library when the program starts. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "shim.h"

#define NAME "libvoiceflow.so.1"
_Static_assert(VF_ABI_VERSION == 1, "NAME: expected the binary interface of the header");

/* Each function of the library, and where it is. */
#define VALUE(result, name, parameters, arguments) static result(*at_##name) parameters;
#define STATUS(name, parameters, arguments) VALUE(vf_status, name, parameters, arguments)
#define NOTHING(name, parameters, arguments) VALUE(void, name, parameters, arguments)
#include "dlopen_functions.h"
static size_t (*at_vf_last_error)(char *, size_t);
#undef VALUE

static const struct {
    const char *name;
    void *at;
} FUNCTIONS[] = {
#define VALUE(result, name, parameters, arguments) {#name, &at_##name},
#include "dlopen_functions.h"
    {"vf_last_error", &at_vf_last_error},
};
#undef VALUE
#undef STATUS
#undef NOTHING

/* Why there is no library; empty where there is one. */
static char reason[1024] = NAME " is not loaded yet";

/* Beside the program, or in the folder `lib` beside it or beside its folder. */
static const char *const BESIDE[] = {"", "lib/", "../lib/"};

static void open_at(const char *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        const char *text = dlerror();
        snprintf(reason, sizeof reason, "%s", text == NULL ? path : text);
        return;
    }
    void *found[sizeof FUNCTIONS / sizeof *FUNCTIONS];
    for (size_t i = 0; i < sizeof FUNCTIONS / sizeof *FUNCTIONS; i++) {
        found[i] = dlsym(library, FUNCTIONS[i].name);
        if (found[i] == NULL) {
            snprintf(reason, sizeof reason, "%s: expected the function %s, which older libraries lack", path,
                FUNCTIONS[i].name);
            return;
        }
    }
    /* In C a pointer to a function is none to an object; POSIX lets it be copied. */
    for (size_t i = 0; i < sizeof FUNCTIONS / sizeof *FUNCTIONS; i++) {
        memcpy(FUNCTIONS[i].at, &found[i], sizeof found[i]);
    }
    reason[0] = '\0';
}

/* Before any other code of the package. */
__attribute__((constructor)) static void load(void)
{
    const char *named = secure_getenv("VOICEFLOW_LIBRARY");
    if (named != NULL && named[0] != '\0') {
        open_at(named);
        return;
    }
    char path[4096];
    const ssize_t length = readlink("/proc/self/exe", path, sizeof path - 64);
    /* Whoever may link a program of more rights than his own chooses its folder. */
    if (length > 0 && getauxval(AT_SECURE) == 0) {
        path[length] = '\0';
        char *end = strrchr(path, '/') + 1;
        for (size_t i = 0; i < sizeof BESIDE / sizeof *BESIDE; i++) {
            snprintf(end, 64, "%s%s", BESIDE[i], NAME);
            if (access(path, R_OK) == 0) {
                open_at(path);
                return;
            }
        }
    }
    open_at(NAME);
}

const char *vfgo_missing(void)
{
    return reason;
}

/* What the rest of the package calls. */
#define VALUE(result, name, parameters, arguments)                                                          \
    result name parameters                                                                                  \
    {                                                                                                       \
        return at_##name == NULL ? 0 : at_##name arguments;                                                 \
    }
#define STATUS(name, parameters, arguments)                                                                 \
    vf_status name parameters                                                                               \
    {                                                                                                       \
        return at_##name == NULL ? VF_E_NOT_FOUND : at_##name arguments;                                    \
    }
#define NOTHING(name, parameters, arguments)                                                                \
    void name parameters                                                                                    \
    {                                                                                                       \
        if (at_##name != NULL) {                                                                            \
            at_##name arguments;                                                                            \
        }                                                                                                   \
    }
#include "dlopen_functions.h"

size_t vf_last_error(char *buf, size_t cap)
{
    if (at_vf_last_error != NULL) {
        return at_vf_last_error(buf, cap);
    }
    if (buf != NULL && cap > 0) {
        snprintf(buf, cap, "%s", reason);
    }
    return strlen(reason);
}
