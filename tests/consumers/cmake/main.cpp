// Prints who spoke when in a recording, as RTTM.
#include <voiceflow.hpp>

#include <iostream>

int main(int argc, char **argv)
{
    if (argc != 2) {
        std::cerr << "usage: consumer AUDIO\n";
        return 2;
    }
    try {
        const voiceflow::Diarizer diarizer;
        std::cout << diarizer.process_file(argv[1]).to_rttm("recording");
    } catch (const voiceflow::Error &error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
