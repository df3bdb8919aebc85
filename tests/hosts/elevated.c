/* Creates a session of the model or, with VF_TEST_BUNDLE in the environment, the bundle argv[1],
 * with the ONNX Runtime argv[2], if one is named, and prints how it went: whether the kernel holds
 * the process for elevated, the status, the text. */
#include <voiceflow.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>

int main(int argc, char **argv)
{
    vf_options *options = NULL;
    vf_session *session = NULL;
    char text[8192] = "";
    vf_status status = vf_options_create(&options);
    if (status == VF_OK) {
        int bundle = getenv("VF_TEST_BUNDLE") != NULL;
        status = bundle ? vf_options_set_bundle(options, argv[1]) : vf_options_set_model_path(options, argv[1]);
    }
    if (status == VF_OK && argc > 2) {
        status = vf_options_set_runtime_library(options, argv[2]);
    }
    if (status == VF_OK) {
        status = vf_session_create(options, NULL, &session);
        (void)vf_last_error(text, sizeof text);
    }
    printf("%lu %s\n%s\n", getauxval(AT_SECURE), vf_status_str(status), text);
    vf_session_destroy(session);
    vf_options_destroy(options);
    return 0;
}
