/* Creates a session of the model argv[1] with four threads where the user argv[2] may have no
 * further one, and prints the status and the text. */
#define _DEFAULT_SOURCE
#include <voiceflow.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    const struct rlimit one = {1, 1};
    vf_options *options = NULL;
    vf_session *session = NULL;
    char text[4096] = "";
    if (argc != 3 || setrlimit(RLIMIT_NPROC, &one) != 0 || setuid((uid_t)atoi(argv[2])) != 0) {
        return 2;
    }
    vf_status status = vf_options_create(&options);
    if (status == VF_OK) {
        status = vf_options_set_model_path(options, argv[1]);
    }
    if (status == VF_OK) {
        status = vf_options_set_threads(options, 4);
    }
    if (status == VF_OK) {
        status = vf_session_create(options, NULL, &session);
        (void)vf_last_error(text, sizeof text);
    }
    printf("%d %s\n", (int)status, text);
    vf_session_destroy(session);
    vf_options_destroy(options);
    return 0;
}
