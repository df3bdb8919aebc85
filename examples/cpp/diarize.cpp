// Prints who spoke when in a recording.
//
//     c++ -std=c++17 diarize.cpp $(pkg-config --cflags --libs voiceflow) -o diarize
//     ./diarize meeting.wav [model.onnx]
#include <voiceflow.hpp>

#include <cstdio>

int main(int argc, char **argv)
{
    if (argc < 2 || argc > 3) {
        std::fprintf(stderr, "usage: %s AUDIO [MODEL]\n", argv[0]);
        return 2;
    }
    try {
        voiceflow::Options options;
        if (argc == 3) {
            options.set_model_path(argv[2]);
        }
        const voiceflow::Diarizer diarizer(options);
        const voiceflow::Diarization result = diarizer.process_file(argv[1]);
        for (const voiceflow::Segment &segment : result.segments()) {
            std::printf("%8.2f %8.2f  speaker %d%s\n", segment.start_s, segment.end_s, segment.speaker,
                        voiceflow::has_overlap(segment) ? "  (overlap)" : "");
        }
    } catch (const voiceflow::Error &error) {
        std::fprintf(stderr, "diarize: %s\n", error.what());
        return 1;
    }
}
