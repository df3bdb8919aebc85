/*
 * Allocations that fail on demand. The functions of the C library's allocator stand in this program in
 * front of the library's own, so that every shared library it loads gets them.
 */
#ifndef FAILING_H
#define FAILING_H

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <link.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* glibc's own allocator by the names under which it stays reachable. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

/* Whose code asked for the memory: it returns into this library. */
enum owner { OWNER_VOICEFLOW, OWNER_RUNTIME, OWNER_OTHER, OWNERS };

/* Which allocations fail. */
struct plan {
    /* The first that fails, counted from 1 among those that match. */
    size_t first;
    /* How many fail. */
    size_t count;
    /* Only those of this size in bytes and larger. */
    size_t least;
    /* Only those of libvoiceflow. */
    bool voiceflow_only;
};

/* As many calls are noted as lie between an allocation and the function whose text or array it is
 * for. */
enum { FRAMES = 24 };

/* The last allocation that failed, in memory that outlives the process. */
struct failed {
    _Atomic size_t count;
    size_t size;
    enum owner owner;
    /* The addresses within libvoiceflow that the request came through, innermost first; 0 ends
     * them. */
    uintptr_t frames[FRAMES];
};

static struct plan plan;
static struct failed *failed;
static _Atomic bool armed;
static _Atomic size_t matched;

/* Where libvoiceflow and ONNX Runtime lie. */
static struct range {
    uintptr_t start, end;
} ranges[OWNER_OTHER];

static int note_range(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)size, (void)data;
    struct range *range = NULL;
    if (strstr(info->dlpi_name, "libvoiceflow.so") != NULL) {
        range = &ranges[OWNER_VOICEFLOW];
    } else if (strstr(info->dlpi_name, "libonnxruntime.so") != NULL) {
        range = &ranges[OWNER_RUNTIME];
    } else {
        return 0;
    }
    range->start = info->dlpi_addr;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const uintptr_t end = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr + info->dlpi_phdr[i].p_memsz;
        if (info->dlpi_phdr[i].p_type == PT_LOAD && end > range->end) {
            range->end = end;
        }
    }
    return 0;
}

static enum owner owner_of(const void *caller)
{
    const uintptr_t address = (uintptr_t)caller;
    for (int owner = 0; owner < OWNER_OTHER; owner++) {
        if (address >= ranges[owner].start && address < ranges[owner].end) {
            return (enum owner)owner;
        }
    }
    return OWNER_OTHER;
}

/* Whether this thread is noting the frames of a failure: what that allocates does not fail. */
static _Thread_local bool noting;

static void note_frames(void)
{
    void *all[FRAMES];
    noting = true;
    const int count = backtrace(all, FRAMES);
    noting = false;
    size_t kept = 0;
    for (int i = 0; i < count; i++) {
        if (owner_of(all[i]) == OWNER_VOICEFLOW) {
            failed->frames[kept++] = (uintptr_t)all[i] - ranges[OWNER_VOICEFLOW].start;
        }
    }
    if (kept < FRAMES) {
        failed->frames[kept] = 0;
    }
}

static bool fails(size_t size, const void *caller)
{
    if (noting || !atomic_load_explicit(&armed, memory_order_relaxed) || size < plan.least) {
        return false;
    }
    const enum owner owner = owner_of(caller);
    if (plan.voiceflow_only && owner != OWNER_VOICEFLOW) {
        return false;
    }
    const size_t number = atomic_fetch_add(&matched, 1) + 1;
    if (number < plan.first || number - plan.first >= plan.count) {
        return false;
    }
    failed->size = size;
    failed->owner = owner;
    note_frames();
    atomic_fetch_add(&failed->count, 1);
    return true;
}

#define FAILS(size) fails((size), __builtin_return_address(0))

void *malloc(size_t size)
{
    if (FAILS(size)) {
        errno = ENOMEM;
        return NULL;
    }
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    if (FAILS(count * size)) {
        errno = ENOMEM;
        return NULL;
    }
    return __libc_calloc(count, size);
}

void *realloc(void *block, size_t size)
{
    if (FAILS(size)) {
        errno = ENOMEM;
        return NULL;
    }
    return __libc_realloc(block, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    if (FAILS(size)) {
        return ENOMEM;
    }
    void *block = __libc_memalign(alignment, size);
    if (block == NULL) {
        return ENOMEM;
    }
    *out = block;
    return 0;
}

void *aligned_alloc(size_t alignment, size_t size)
{
    if (FAILS(size)) {
        errno = ENOMEM;
        return NULL;
    }
    return __libc_memalign(alignment, size);
}

void *memalign(size_t alignment, size_t size)
{
    if (FAILS(size)) {
        errno = ENOMEM;
        return NULL;
    }
    return __libc_memalign(alignment, size);
}

/* Allocations from here on fail as the plan says. */
static void arm(struct plan next)
{
    void *frame[1];
    /* The first call loads a library. */
    (void)backtrace(frame, 1);
    dl_iterate_phdr(note_range, NULL);
    plan = next;
    atomic_store(&matched, 0);
    atomic_store(&failed->count, 0);
    atomic_store(&armed, true);
}

/* No more of them fail. Returns how many did. */
static size_t disarm(void)
{
    atomic_store(&armed, false);
    return atomic_load(&failed->count);
}

#endif
