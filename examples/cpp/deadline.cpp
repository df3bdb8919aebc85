// Diarizes a recording, but for no longer than some milliseconds: the progress callback looks at the clock
// and cancels. A limit that is the same for every call is an option, Options::set_deadline.
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
        const std::chrono::milliseconds limit(std::strtol(argv[2], nullptr, 10));
        const auto deadline = std::chrono::steady_clock::now() + limit;
        const auto look = [&](voiceflow::Stage, float) {
            return std::chrono::steady_clock::now() > deadline ? voiceflow::Next::cancel
                                                               : voiceflow::Next::go_on;
        };
        std::printf("%zu segments\n", diarizer.process_file(argv[1], look).segment_count());
    } catch (const voiceflow::Cancelled &) {
        std::printf("not done within %s ms\n", argv[2]);
    } catch (const voiceflow::Error &error) {
        std::fprintf(stderr, "deadline: %s\n", error.what());
        return 1;
    }
}
