// Prints who speaks, live: raw 16-bit samples, 16 kHz, mono, from standard input. Turns that never
// change again go to standard output, what may still change to standard error.
//
//     c++ -std=c++17 stream.cpp $(pkg-config --cflags --libs voiceflow) -o stream
//     arecord -q -f S16_LE -r 16000 -c 1 | ./stream [model.onnx]
#include <voiceflow.hpp>

#include <array>
#include <cstdint>
#include <cstdio>

namespace {

void print_news(const voiceflow::Stream &stream)
{
    for (const voiceflow::Segment &segment : stream.read()) {
        const bool final = voiceflow::is_final(segment);
        std::fprintf(final ? stdout : stderr, "%8.2f %8.2f  speaker %d%s\n", segment.start_s, segment.end_s,
                     segment.speaker, final ? "" : "  (provisional)");
    }
    std::fflush(stdout);
}

}  // namespace

int main(int argc, char **argv)
{
    try {
        voiceflow::Options options;
        if (argc > 1) {
            options.set_model_path(argv[1]);
        }
        const voiceflow::Diarizer diarizer(options);
        const voiceflow::Stream stream(diarizer, options, 16000);
        std::array<std::int16_t, 1600> samples{};
        for (;;) {
            const std::size_t count = std::fread(samples.data(), sizeof samples[0], samples.size(), stdin);
            if (count == 0) {
                break;
            }
            stream.push(voiceflow::span<const std::int16_t>(samples.data(), count));
            print_news(stream);
        }
        const voiceflow::Diarization result = stream.finish();
        print_news(stream);
        std::fprintf(stderr, "%zu speakers in all\n", result.speaker_count());
    } catch (const voiceflow::Error &error) {
        std::fprintf(stderr, "stream: %s\n", error.what());
        return 1;
    }
}
