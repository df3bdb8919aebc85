// The C++ interface: ./face RUNTIME MODEL ROUNDS
#include "../reference.h"

#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include <voiceflow.hpp>

int main(int argc, char **argv)
try {
    if (argc != 4) {
        std::fprintf(stderr, "usage: %s RUNTIME MODEL ROUNDS\n", argv[0]);
        return 2;
    }
    reference_open(argv[1], argv[2], std::stoul(argv[3]));
    const voiceflow::Session session(
        voiceflow::Options().set_runtime_library(argv[1]).set_model_path(argv[2]).set_threads(1));
    const voiceflow::span<const float> audio(reference_audio(), reference_samples());
    const voiceflow::InferenceShape shape = session.shape(1, audio.size());
    std::vector<float> activity(shape.activity_size()), embedding(shape.embedding_size());
    while (reference_next() != 0) {
        const auto start = std::chrono::steady_clock::now();
        (void)session.infer_into(audio, 1, activity, embedding);
        const auto elapsed = std::chrono::steady_clock::now() - start;
        reference_record(static_cast<std::uint64_t>(std::chrono::nanoseconds(elapsed).count()));
    }
    reference_report();
    return 0;
} catch (const voiceflow::Error &error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
