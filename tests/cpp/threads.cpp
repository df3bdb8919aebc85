// Threads that share a diarizer, a gallery and the log, and cancel each other's calls.
#include "support.hpp"

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <stdexcept>
#include <thread>

using voiceflow::Diarizer;

namespace {

constexpr std::size_t thread_count = 4;

template <class Work>
void side_by_side(Work work)
{
    std::vector<std::thread> threads;
    threads.reserve(thread_count);
    for (std::size_t number = 0; number < thread_count; ++number) {
        threads.emplace_back(work, number);
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
}

/// Every thread gets its own result and its own error, whatever the others meet.
void share(const Diarizer &diarizer, const std::vector<float> &audio)
{
    const voiceflow::Gallery gallery(diarizer);
    const auto expected = diarizer.process(audio, test::rate).segments();
    side_by_side([&](std::size_t number) {
        const std::string name = "thread " + std::to_string(number);
        const std::string missing = "/nowhere/" + std::to_string(number) + ".wav";
        for (int round = 0; round < 5; ++round) {
            const voiceflow::Diarization result = diarizer.process(audio, test::rate);
            CHECK(test::same(result.segments(), expected));
            CHECK_THROWS(diarizer.process_file(missing), not_found, missing);
            gallery.enroll_embedding(name, result.speaker_embedding(0), voiceflow::Seconds(5));
            CHECK(!gallery.identify(result)[0].name.empty());
            const voiceflow::Stream stream(diarizer, test::rate);
            stream.push(audio);
            CHECK(!stream.finish().segments().empty());
        }
    });
    CHECK(gallery.count() == thread_count);
}

/// A flag that the callback reads ends one call of several.
void cancel_one(const Diarizer &diarizer, const std::vector<float> &audio)
{
    std::atomic<bool> stop = false;
    std::atomic<std::size_t> under_way = 0;
    std::atomic<std::size_t> cancelled = 0;
    std::thread other([&] {
        while (under_way < thread_count) {
            std::this_thread::yield();
        }
        stop = true;
    });
    side_by_side([&](std::size_t number) {
        bool first = true;
        const voiceflow::Cancel cancel;
        voiceflow::Call call = test::reporting([&](voiceflow::Stage, float) {
            under_way += first ? 1 : 0;
            first = false;
            // The last call cannot be done before the flag is set.
            while (number == 0 && !stop) {
                std::this_thread::yield();
            }
            if (number == 0) {
                cancel.set();
            }
        });
        call.cancel = &cancel;
        try {
            CHECK(!diarizer.process(audio, test::rate, 1, call).segments().empty() && number != 0);
        } catch (const voiceflow::Cancelled &) {
            ++cancelled;
        }
    });
    other.join();
    CHECK(cancelled == 1);
}

/// A callable that is let go of may set another one when it is destroyed.
void log_callback_after_log_callback()
{
    std::atomic<int> records = 0;
    const auto count = [&](voiceflow::LogLevel, std::string_view, std::string_view) { ++records; };
    std::shared_ptr<void> follower(nullptr, [&](void *) {
        voiceflow::set_log_callback(count, voiceflow::LogLevel::trace);
    });
    voiceflow::set_log_callback(
        [follower = std::move(follower)](voiceflow::LogLevel, std::string_view, std::string_view) {},
        voiceflow::LogLevel::trace);
    CHECK(records == 0);
    voiceflow::clear_log_callback();
    const Diarizer logged(test::options());
    CHECK(records > 0);
    voiceflow::clear_log_callback();
}

/// Names stay those of their voices while speakers before them are removed.
void identify_while_others_leave(const Diarizer &diarizer, const std::vector<float> &audio)
{
    constexpr int others = 300;
    const voiceflow::Gallery gallery(diarizer);
    const voiceflow::Diarization result = diarizer.process(audio, test::rate);
    const std::vector<float> voice = result.speaker_embedding(0);
    std::vector<float> opposite(voice.size());
    std::transform(voice.begin(), voice.end(), opposite.begin(), std::negate<>());
    for (int number = 0; number < others; ++number) {
        gallery.enroll_embedding("other " + std::to_string(number), opposite, voiceflow::Seconds(5));
    }
    gallery.enroll_embedding("ada", voice, voiceflow::Seconds(5));
    gallery.enroll_embedding("last", opposite, voiceflow::Seconds(5));
    std::atomic<std::size_t> asked = 0;
    std::thread leaving([&] {
        for (int number = 0; number < others; ++number) {
            const std::size_t before = asked;
            gallery.remove("other " + std::to_string(number));
            // Some leave together, some between two answers.
            while (number % 50 == 0 && asked == before) {
                std::this_thread::yield();
            }
        }
    });
    do {
        CHECK(gallery.identify(result)[0].name == "ada");
        ++asked;
    } while (gallery.count() > 2);
    leaving.join();
    CHECK(asked > 1);
}

/// The log callback is replaced while threads log; a callable lives until its last call is over.
void log_callbacks()
{
    struct Sink {
        std::atomic<int> *alive;
        std::atomic<int> *records;
        Sink(std::atomic<int> &alive_, std::atomic<int> &records_) : alive(&alive_), records(&records_)
        {
            ++*alive;
        }
        Sink(const Sink &other) : alive(other.alive), records(other.records) { ++*alive; }
        Sink(Sink &&other) noexcept : alive(other.alive), records(other.records) { ++*alive; }
        Sink &operator=(const Sink &) = delete;
        Sink &operator=(Sink &&) = delete;
        ~Sink() { --*alive; }
        void operator()(voiceflow::LogLevel level, std::string_view target, std::string_view message) const
        {
            CHECK(level >= voiceflow::LogLevel::error && level <= voiceflow::LogLevel::trace);
            CHECK(!target.empty() && !message.empty() && *alive > 0);
            if (++*records % 2 == 0) {
                throw std::runtime_error("thrown in a log callback");
            }
        }
    };
    std::atomic<int> alive = 0;
    std::atomic<int> records = 0;
    voiceflow::set_log_callback(Sink(alive, records), voiceflow::LogLevel::trace);
    CHECK(alive == 1);
    side_by_side([&](std::size_t number) {
        for (int round = 0; round < 3; ++round) {
            if (number == 0) {
                voiceflow::set_log_callback(Sink(alive, records), voiceflow::LogLevel::trace);
            }
            const Diarizer diarizer(test::options());
            CHECK(diarizer.describe().sample_rate == test::rate);
        }
    });
    CHECK(records > 0);
    // After a failure the earlier callable stays.
    std::atomic<int> refused = 0;
    CHECK_THROWS(voiceflow::set_log_callback(Sink(alive, refused), static_cast<voiceflow::LogLevel>(9)),
                 invalid_argument, "9");
    const int before = records;
    const Diarizer logged(test::options());
    CHECK(alive == 1 && records > before && refused == 0);
    voiceflow::clear_log_callback();
    CHECK(alive == 0);
    records = 0;
    const Diarizer silent(test::options());
    CHECK(records == 0);
}

}  // namespace

int main()
{
    const std::vector<float> audio = test::audio(std::size_t{12} * test::rate, 3);
    const Diarizer diarizer(test::options());
    share(diarizer, audio);
    cancel_one(diarizer, audio);
    identify_while_others_leave(diarizer, audio);
    log_callback_after_log_callback();
    log_callbacks();
}
