// Destructors that run when thread-local or static data is gone: of static objects, and of
// thread-local ones that are older or newer than what the library has on the thread.
#include "support.hpp"

#include <thread>
#include <unistd.h>

using voiceflow::Diarizer;

namespace {

/// Where exit(3) must not be called, as it may be under way.
void require(bool condition, const char *what)
{
    if (!condition) {
        std::fprintf(stderr, "endings: expected %s\n", what);
        _exit(1);
    }
}

const std::vector<float> &audio()
{
    static const auto *const samples = new std::vector<float>(test::audio(32000, 5));
    return *samples;
}

/// Whether the diarizer works: if not, it is because of an end.
bool works(const Diarizer &diarizer)
{
    try {
        static_cast<void>(diarizer.process(audio(), test::rate));
        return true;
    } catch (const voiceflow::Error &error) {
        require(error.status() == voiceflow::Status::ending, "the status of an end");
        require(std::string(error.what()).size() > 0, "a text");
        return false;
    }
}

enum class Expected { works, refused };

/// Works, or tries to, when it is destroyed.
struct Last {
    const Diarizer *diarizer;
    Expected expected;

    Last(const Diarizer &over, Expected answer) : diarizer(&over), expected(answer) {}
    Last(const Last &) = delete;
    Last &operator=(const Last &) = delete;
    Last(Last &&) = delete;
    Last &operator=(Last &&) = delete;
    ~Last() { require(works(*diarizer) == (expected == Expected::works), "the other answer in a destructor"); }
};

/// Older than the library's own: gone after it.
void older(const Diarizer &diarizer)
{
    std::thread([&] {
        thread_local const Last last{diarizer, Expected::refused};
        static_cast<void>(last.expected);
        CHECK(works(diarizer));
    }).join();
}

/// Made after the first call, before the first work.
void between(const Diarizer &diarizer)
{
    std::thread([&] {
        const voiceflow::Options options;
        thread_local const Last last{diarizer, Expected::refused};
        static_cast<void>(last.expected);
        CHECK(works(diarizer));
    }).join();
}

/// Newer: gone before it, while all is there.
void newer(const Diarizer &diarizer)
{
    std::thread([&] {
        CHECK(works(diarizer));
        thread_local const Last last{diarizer, Expected::works};
        static_cast<void>(last.expected);
    }).join();
}

/// Older than ONNX Runtime, so that it is gone when this is destroyed; and its diarizer is
/// destroyed then.
struct Global {
    Diarizer *diarizer = nullptr;

    Global() = default;
    Global(const Global &) = delete;
    Global &operator=(const Global &) = delete;
    Global(Global &&) = delete;
    Global &operator=(Global &&) = delete;
    ~Global()
    {
        require(!works(*diarizer), "an end");
        delete diarizer;
    }
};

Global global;

} // namespace

int main()
{
    global.diarizer = new Diarizer(test::options());
    older(*global.diarizer);
    between(*global.diarizer);
    newer(*global.diarizer);
    CHECK(works(*global.diarizer));
    return 0;
}
