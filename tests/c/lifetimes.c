/* Each type of handle made, used once and destroyed, children before and after their makers. Small
 * enough for valgrind. */
#include "support.h"

#define RATE 16000u

/* A diarizer of two public models, the embedding network one that runs as a whole: to look for the
 * place where it can be split takes too long here. */
static void pair(const float *audio)
{
    vf_options *options = test_options();
    vf_diarizer *diarizer = NULL;
    vf_diarization *result = NULL;
    char name[64];
    size_t n = 0;
    CHECK_STATUS(VF_OK, vf_options_set_segmentation_model(options, setting("VF_TEST_SEGMENTATION")));
    CHECK_STATUS(VF_OK, vf_options_set_embedding_model(options, setting("VF_TEST_WHOLE_EMBEDDING")));
    CHECK_STATUS(VF_OK, vf_diarizer_create(options, NULL, &diarizer));
    vf_options_destroy(options);
    CHECK_STATUS(VF_OK, vf_diarizer_model_name(diarizer, name, sizeof name, &n));
    CHECK_STATUS(VF_OK, vf_diarizer_process_f32(diarizer, audio, RATE, RATE, 1, NULL, &result));
    vf_diarizer_destroy(diarizer);
    CHECK_STATUS(VF_OK, vf_diarization_segment_count(result, &n));
    vf_diarization_destroy(result);
}

/* Used and destroyed after its diarizer. */
static void known(const vf_gallery *gallery, const vf_diarization *result, size_t dim)
{
    float *embedding = (float *)allocate(dim * sizeof *embedding);
    int32_t voices[100];
    float scores[100];
    size_t n = 0;
    for (size_t i = 0; i < dim; i++) {
        embedding[i] = 1.0f;
    }
    CHECK_STATUS(VF_OK, vf_gallery_enroll_embedding(gallery, "ada", embedding, dim, 5.0));
    CHECK_STATUS(VF_OK, vf_gallery_identify_diarization(gallery, result, 0.5f, voices, scores, 100, &n));
    CHECK_STATUS(VF_OK, vf_gallery_remove(gallery, "ada"));
    free(embedding);
}

/* Used and destroyed after its diarizer. */
static void live(vf_stream *stream, const float *audio)
{
    vf_diarization *result = NULL;
    vf_segment segments[8];
    size_t n = 0;
    CHECK_STATUS(VF_OK, vf_stream_push_f32(stream, audio, RATE, NULL));
    CHECK_STATUS(VF_OK, vf_stream_read(stream, segments, 8, &n));
    CHECK_STATUS(VF_OK, vf_stream_finish(stream, NULL, &result));
    vf_stream_destroy(stream);
    CHECK_STATUS(VF_OK, vf_diarization_segment_count(result, &n));
    vf_diarization_destroy(result);
}

int main(void)
{
    float *audio = test_audio(RATE, 2);
    vf_model_info info;
    vf_gallery *gallery = NULL;
    vf_stream *stream = NULL;
    vf_options *options = test_options();
    vf_diarizer *diarizer = NULL;
    vf_session *session = NULL;
    vf_diarization *result = NULL, *other = NULL;
    size_t n = 0, m = 0, frames = 0;

    CHECK_STATUS(VF_OK, vf_diarizer_create(options, NULL, &diarizer));
    CHECK_STATUS(VF_OK, vf_session_create(options, NULL, &session));
    vf_options_destroy(options);
    CHECK_STATUS(VF_E_BUFFER_TOO_SMALL, vf_session_infer(session, audio, 1, 1600, NULL, NULL, 0, &n, NULL, 0, &m, &frames));
    float *activity = (float *)allocate(n * sizeof *activity);
    float *embedding = (float *)allocate(m * sizeof *embedding);
    CHECK_STATUS(VF_OK, vf_session_infer(session, audio, 1, 1600, NULL, activity, n, &n, embedding, m, &m, &frames));
    free(activity);
    free(embedding);

    CHECK_STATUS(VF_OK, vf_diarizer_process_f32(diarizer, audio, RATE, RATE, 1, NULL, &result));
    CHECK_STATUS(VF_OK, vf_diarizer_process_f32(diarizer, audio, RATE, RATE, 1, NULL, &other));
    pair(audio);
    vf_diarization_destroy(other);
    info.size = sizeof info;
    CHECK_STATUS(VF_OK, vf_diarizer_describe(diarizer, &info));
    CHECK_STATUS(VF_OK, vf_gallery_create(diarizer, &gallery));
    CHECK_STATUS(VF_OK, vf_stream_create(diarizer, NULL, RATE, 1, NULL, &stream));
    vf_diarizer_destroy(diarizer);
    live(stream, audio);
    free(audio);
    known(gallery, result, info.embedding_dim);
    vf_gallery_destroy(gallery);
    CHECK_STATUS(VF_OK, vf_diarization_segment_count(result, &n));
    (void)vf_diarization_to_json(result, "r", 0, NULL, 0, &n);
    char *text = (char *)allocate(n);
    CHECK_STATUS(VF_OK, vf_diarization_to_json(result, "r", 0, text, n, &n));
    free(text);
    vf_diarization_destroy(result);
    vf_session_destroy(session);
    return 0;
}
