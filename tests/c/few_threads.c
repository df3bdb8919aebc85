/* A session that wants more threads than the system gives fails with a status. ONNX Runtime alone
 * would wait for them for ever. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "support.h"

#include <sys/resource.h>
#include <unistd.h>

/* A user that runs nothing else: root is not limited. */
#define NOBODY_ELSE 54321
/* Far longer than all loads take where the machine does other work: then the alarm ends the
 * program. */
#define HANGS_S 600

static vf_status create(const unsigned char *model, size_t size, size_t threads, const vf_call *call)
{
    vf_options *options = NULL;
    CHECK_STATUS(VF_OK, vf_options_create(&options));
    CHECK_STATUS(VF_OK, vf_options_set_model_memory(options, model, size));
    CHECK_STATUS(VF_OK, vf_options_set_provider(options, VF_PROVIDER_CPU, VF_PROVIDER_REQUIRED));
    CHECK_STATUS(VF_OK, vf_options_set_threads(options, threads));
    vf_session *session = NULL;
    const vf_status status = vf_session_create(options, call, &session);
    vf_options_destroy(options);
    CHECK((session != NULL) == (status == VF_OK));
    vf_session_destroy(session);
    return status;
}

int main(void)
{
    size_t size = 0;
    unsigned char *model = read_file(setting("VF_TEST_MODEL"), &size);
    /* Loads ONNX Runtime while its file can be read. */
    CHECK_STATUS(VF_OK, create(model, size, 1, NULL));
    if (geteuid() != 0) {
        fprintf(stderr, "few_threads: run by root only, who can become a user without other processes\n");
        free(model);
        return 0;
    }
    CHECK(setuid(NOBODY_ELSE) == 0);
    alarm(HANGS_S);
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_NPROC, &limit) == 0);

    vf_call call;
    memset(&call, 0, sizeof call);
    call.size = sizeof call;
    call.flags = VF_CALL_DEADLINE;
    call.deadline_ms = 600000;
    /* Few: this thread alone, then one more at a time; those of ONNX Runtime for the process count
     * too. */
    for (rlim_t few = 1; few <= 4; few++) {
        limit.rlim_cur = few;
        CHECK(setrlimit(RLIMIT_NPROC, &limit) == 0);
        CHECK_STATUS(VF_E_LIMIT, create(model, size, 32, NULL));
        CHECK_TEXT("threads: expected 32, of which the system gives no more than");
        CHECK_STATUS(VF_E_LIMIT, create(model, size, 32, &call));
        CHECK_STATUS(VF_OK, create(model, size, 1, NULL));
    }
    limit.rlim_cur = limit.rlim_max;
    CHECK(setrlimit(RLIMIT_NPROC, &limit) == 0);
    CHECK_STATUS(VF_OK, create(model, size, 4, NULL));
    CHECK_STATUS(VF_OK, create(model, size, 4, &call));
    free(model);
    return 0;
}
