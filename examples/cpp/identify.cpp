// Enrolls speakers by recordings of them, and names them in another recording.
//
//     c++ -std=c++17 identify.cpp $(pkg-config --cflags --libs voiceflow) -o identify
//     ./identify meeting.wav ada=ada.wav bob=bob.wav
#include <voiceflow.hpp>

#include <cstdint>
#include <cstdio>
#include <string>

int main(int argc, char **argv)
{
    if (argc < 3) {
        std::fprintf(stderr, "usage: %s AUDIO NAME=AUDIO...\n", argv[0]);
        return 2;
    }
    try {
        const voiceflow::Diarizer diarizer;
        const voiceflow::Gallery gallery(diarizer);
        for (int i = 2; i < argc; ++i) {
            const std::string argument = argv[i];
            const std::size_t equals = argument.find('=');
            if (equals == std::string::npos) {
                std::fprintf(stderr, "%s: expected NAME=FILE\n", argv[i]);
                return 2;
            }
            gallery.enroll_file(diarizer, argument.substr(0, equals), argument.substr(equals + 1));
        }
        const voiceflow::Diarization result = diarizer.process_file(argv[1]);
        std::int32_t speaker = 0;
        for (const voiceflow::Identity &identity : gallery.identify(result)) {
            std::printf("%s is %s (similarity %.2f)\n", result.speaker_label(speaker++).c_str(),
                        identity.name.empty() ? "a stranger" : identity.name.c_str(),
                        static_cast<double>(identity.score));
        }
    } catch (const voiceflow::Error &error) {
        std::fprintf(stderr, "identify: %s\n", error.what());
        return 1;
    }
}
