// Sends the library's log records to the program's own logger, here one that writes lines to a
// file.
//
//     c++ -std=c++17 own_logger.cpp $(pkg-config --cflags --libs voiceflow) -o own_logger
//     ./own_logger meeting.wav program.log
#include <voiceflow.hpp>

#include <cstdio>
#include <ctime>
#include <fstream>
#include <memory>
#include <mutex>
#include <string_view>

namespace {

/// Threads share it.
class Logger {
public:
    explicit Logger(const char *path) : file_(path, std::ios::app) {}

    [[nodiscard]] bool good() const { return file_.good(); }

    void write(voiceflow::LogLevel level, std::string_view target, std::string_view message)
    {
        const std::scoped_lock held(lock_);
        file_ << std::time(nullptr) << ' ' << name(level) << ' ' << target << ": " << message << '\n';
    }

private:
    static const char *name(voiceflow::LogLevel level)
    {
        switch (level) {
        case voiceflow::LogLevel::error:
            return "error";
        case voiceflow::LogLevel::warn:
            return "warn";
        case voiceflow::LogLevel::info:
            return "info";
        case voiceflow::LogLevel::debug:
            return "debug";
        case voiceflow::LogLevel::trace:
            return "trace";
        }
        return "?";
    }

    std::mutex lock_;
    std::ofstream file_;
};

}  // namespace

int main(int argc, char **argv)
{
    if (argc != 3) {
        std::fprintf(stderr, "usage: %s AUDIO LOG\n", argv[0]);
        return 2;
    }
    // The callback shares the logger, so that it lives as long as either of them.
    const auto logger = std::make_shared<Logger>(argv[2]);
    if (!logger->good()) {
        std::perror(argv[2]);
        return 1;
    }
    try {
        voiceflow::set_log_callback(
            [logger](voiceflow::LogLevel level, std::string_view target, std::string_view message) {
                logger->write(level, target, message);
            },
            voiceflow::LogLevel::debug);
        const voiceflow::Diarizer diarizer;
        std::printf("%zu speakers\n", diarizer.process_file(argv[1]).speaker_count());
        voiceflow::clear_log_callback();
    } catch (const voiceflow::Error &error) {
        std::fprintf(stderr, "own_logger: %s\n", error.what());
        return 1;
    }
}
