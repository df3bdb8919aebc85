// Runs the network directly on a batch of windows, and prints how much of each window each local
// speaker talks: raw 16-bit samples, 16 kHz, mono, from standard input.
//
//     c++ -std=c++17 batch_infer.cpp $(pkg-config --cflags --libs voiceflow) -o batch_infer
//     ffmpeg -i meeting.wav -f s16le -ac 1 -ar 16000 - | ./batch_infer [model.onnx]
#include <voiceflow.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <vector>

namespace {

constexpr std::size_t most_rows = 4;

/// Fills the rows with what comes next; returns how many got any audio. The last one is padded with
/// silence.
std::size_t read_batch(std::vector<float> &audio, std::size_t window)
{
    std::vector<std::int16_t> samples(audio.size());
    const std::size_t count = std::fread(samples.data(), sizeof samples[0], samples.size(), stdin);
    std::fill(samples.begin() + static_cast<std::ptrdiff_t>(count), samples.end(), std::int16_t{0});
    std::transform(samples.begin(), samples.end(), audio.begin(),
                   [](std::int16_t sample) { return static_cast<float>(sample) / 32768.0F; });
    return (count + window - 1) / window;
}

void print_window(std::size_t number, const float *activity, const voiceflow::InferenceShape &shape)
{
    std::printf("window %2zu:", number);
    for (std::size_t speaker = 0; speaker < shape.speakers; ++speaker) {
        std::size_t active = 0;
        for (std::size_t frame = 0; frame < shape.frames; ++frame) {
            active += activity[frame * shape.speakers + speaker] > 0.5F ? 1 : 0;
        }
        std::printf(" %3zu %%", 100 * active / shape.frames);
    }
    std::printf("\n");
}

void infer_all(const voiceflow::Session &session)
{
    const std::size_t window = session.describe().window_samples;
    const voiceflow::InferenceShape shape = session.shape(most_rows, window);
    // Made once, used for every batch.
    std::vector<float> audio(most_rows * window);
    std::vector<float> activity(shape.activity_size());
    std::vector<float> embedding(shape.embedding_size());
    std::size_t number = 0;
    while (const std::size_t rows = read_batch(audio, window)) {
        const voiceflow::span<const float> batch(audio.data(), rows * window);
        (void)session.infer_into(batch, rows, activity, embedding);
        for (std::size_t row = 0; row < rows; ++row) {
            print_window(number++, activity.data() + row * shape.frames * shape.speakers, shape);
        }
    }
}

}  // namespace

int main(int argc, char **argv)
{
    try {
        voiceflow::Options options;
        if (argc > 1) {
            options.set_model_path(argv[1]);
        }
        infer_all(voiceflow::Session(options));
    } catch (const voiceflow::Error &error) {
        std::fprintf(stderr, "batch_infer: %s\n", error.what());
        return 1;
    }
}
