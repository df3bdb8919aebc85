// Diarizes a recording, but for no longer than some milliseconds. Another thread could end it as
// well, by a voiceflow::Cancel of the call or, from C++20 on, a std::stop_token.
//
//     c++ -std=c++17 deadline.cpp $(pkg-config --cflags --libs voiceflow) -o deadline
//     ./deadline meeting.wav 5
#include <voiceflow.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>

int main(int argc, char **argv)
{
    if (argc != 3) {
        std::fprintf(stderr, "usage: %s AUDIO MILLISECONDS\n", argv[0]);
        return 2;
    }
    try {
        const voiceflow::Diarizer diarizer;
        voiceflow::Call call;
        call.deadline = std::chrono::milliseconds(std::strtol(argv[2], nullptr, 10));
        std::printf("%zu segments\n", diarizer.process_file(argv[1], call).segment_count());
    } catch (const voiceflow::DeadlinePassed &) {
        std::printf("not done within %s ms\n", argv[2]);
    } catch (const voiceflow::Error &error) {
        std::fprintf(stderr, "deadline: %s\n", error.what());
        return 1;
    }
}
