// Whole recordings: samples and files, results, progress, exceptions in callbacks, deadlines.
#include "support.hpp"

#include <chrono>
#include <stdexcept>
#include <thread>

using namespace std::chrono_literals;
using voiceflow::Diarization;
using voiceflow::Diarizer;
using voiceflow::Next;
using voiceflow::Stage;

namespace {

/// Owned by nothing of the library.
struct OwnFault {
    int code;
};

void results(const Diarizer &diarizer, const std::vector<float> &audio)
{
    const Diarization result = diarizer.process(audio, test::rate);
    const auto segments = result.segments();
    CHECK(segments.size() == result.segment_count() && segments.size() > 1);
    CHECK(result.duration() == voiceflow::Seconds(static_cast<double>(audio.size()) / test::rate));
    CHECK(result.speaker_count() > 0);
    double speech = 0;
    for (const auto &segment : segments) {
        CHECK(segment.end_s > segment.start_s && segment.confidence > 0);
        CHECK(voiceflow::has_overlap(segment) == ((segment.flags & std::uint32_t{VF_SEGMENT_OVERLAP}) != 0));
        speech += segment.speaker == 0 ? segment.end_s - segment.start_s : 0;
    }
    CHECK(result.speaker_speech(0).count() > speech - 0.01 &&
          result.speaker_speech(0).count() < speech + 0.01);
    CHECK(result.speaker_label(0) == "SPEAKER_00");
    CHECK(result.speaker_embedding(0).size() == diarizer.describe().embedding_dim);
    CHECK_THROWS(result.speaker_label(-1), invalid_argument, "speaker");
    CHECK_THROWS(result.speaker_embedding(100), invalid_argument, "100");

    CHECK(result.to_rttm("a b").rfind("SPEAKER a_b 1 ", 0) == 0);
    CHECK(result.to_json(std::string("a")).find("\"SPEAKER_00\"") != std::string::npos);
    CHECK(result.to_srt().find("SPEAKER_00") != std::string::npos);
    CHECK(result.to_rttm("a").find('\0') == std::string::npos);
    CHECK_THROWS(result.to_json(std::string("a\0b", 3)), invalid_argument, "recording: ");
    const auto embedding = [](const std::string &json) { return json.find("\"embedding\""); };
    CHECK(embedding(result.to_json("a")) == std::string::npos);
    CHECK(embedding(result.to_json("a", voiceflow::Embeddings::included)) != std::string::npos);

    // The same out of its parts.
    std::vector<float> voices;
    for (std::size_t speaker = 0; speaker < result.speaker_count(); speaker++) {
        const auto voice = result.speaker_embedding(static_cast<std::int32_t>(speaker));
        voices.insert(voices.end(), voice.begin(), voice.end());
    }
    const auto made = Diarization::create(result.duration(), segments, voices, result.speaker_count());
    CHECK(made.to_json("a", voiceflow::Embeddings::included) ==
          result.to_json("a", voiceflow::Embeddings::included));
    CHECK(Diarization::create(voiceflow::Seconds(1), {}, {}, 0).segments().empty());
    voices.resize(3);
    CHECK_THROWS(Diarization::create(result.duration(), segments, voices, 2), invalid_argument,
                 "embeddings: expected a multiple of the 2 speakers, got 3 values");
    CHECK_THROWS(Diarization::create(voiceflow::Seconds(-1), {}, {}, 0), invalid_argument, "duration_s");

    // Two channels with the same in both are the one.
    std::vector<float> stereo;
    for (const float sample : audio) {
        stereo.insert(stereo.end(), {sample, sample});
    }
    CHECK(test::same(diarizer.process(stereo, test::rate, 2).segments(), segments));
    const auto integers = diarizer.process(test::as_i16(audio), test::rate).segments();
    CHECK(integers.size() > 1);
    CHECK(diarizer.process(std::vector<float>(), test::rate).segments().empty());

    CHECK_THROWS(diarizer.process(voiceflow::span<const float>(audio.data(), 5), test::rate, 2),
                 invalid_argument, "samples: expected a multiple of the 2 channels, got 5 values");
    CHECK_THROWS(diarizer.process(audio, 999), invalid_argument, "999");
    CHECK_THROWS(diarizer.process(audio, test::rate, 0), invalid_argument, "channels");
    std::vector<float> broken(audio);
    broken[7] = std::numeric_limits<float>::quiet_NaN();
    CHECK_THROWS(diarizer.process(broken, test::rate), audio, "NaN");
}

void models(const Diarizer &diarizer)
{
    const voiceflow::ModelInfo info = diarizer.describe();
    CHECK(info.sample_rate == test::rate && info.max_speakers > 0);
    CHECK(voiceflow::provider_of(info) == voiceflow::Provider::cpu);
    CHECK(!diarizer.model_name().empty() && !diarizer.model_version().empty());
    CHECK(diarizer.model_sha256().size() == 64);
}

void progress(const Diarizer &diarizer, const std::vector<float> &audio)
{
    float last = 0;
    Stage stage = Stage::analysis;
    const auto watch = [&](Stage reported, float fraction) {
        CHECK(fraction >= 0.0F && fraction <= 1.0F && reported >= stage);
        stage = reported;
        last = fraction;
    };
    const auto watched = diarizer.process(audio, test::rate, 1, watch).segments();
    CHECK(last == 1.0F && stage >= Stage::clustering);
    CHECK(test::same(watched, diarizer.process(audio, test::rate).segments()));

    last = 0;
    stage = Stage::analysis;
    CHECK(test::same(diarizer.process(audio, test::rate, watch).segments(), watched) && last == 1.0F);
    last = 0;
    stage = Stage::analysis;
    CHECK(!diarizer.process(test::as_i16(audio), test::rate, watch).segments().empty() && last == 1.0F);

    int calls = 0;
    // Not copied: this one cannot be.
    struct Counter {
        explicit Counter(int &count) : calls(&count) {}
        Counter(const Counter &) = delete;
        Counter &operator=(const Counter &) = delete;
        Counter(Counter &&) = delete;
        Counter &operator=(Counter &&) = delete;
        ~Counter() = default;
        Next operator()(Stage, float) { return ++*calls < 2 ? Next::go_on : Next::cancel; }
        int *calls;
    };
    Counter counter(calls);
    try {
        (void)diarizer.process(audio, test::rate, 1, counter);
        CHECK(false);
    } catch (const voiceflow::Cancelled &error) {
        CHECK_ERROR(error, cancelled, "cancelled while");
    }
    CHECK(calls >= 2);
}

void exceptions(const Diarizer &diarizer, const std::vector<float> &audio)
{
    int calls = 0;
    const auto fault = [&](Stage, float) -> Next {
        ++calls;
        throw OwnFault{42};
    };
    try {
        (void)diarizer.process(audio, test::rate, 1, fault);
        CHECK(false);
    } catch (const OwnFault &own) {
        CHECK(own.code == 42);
    }
    CHECK(calls == 1);
    try {
        (void)diarizer.process_file("no matter", [](Stage, float) {});
        CHECK(false);
    } catch (const voiceflow::Error &error) {
        CHECK_ERROR(error, not_found, "no matter");
    }
    // Thrown where it would not be taken for the library's: the last report of all.
    const auto at_the_end = [](Stage stage, float fraction) {
        if (stage == Stage::reconstruction && fraction >= 1.0F) {
            throw std::logic_error("at the end");
        }
    };
    try {
        (void)diarizer.process(audio, test::rate, 1, at_the_end);
        CHECK(false);
    } catch (const std::logic_error &error) {
        CHECK(std::string(error.what()) == "at the end");
    }
    // A call of the library inside a callback is refused, and its error is the callback's own.
    const auto calls_back = [&](Stage, float) { (void)diarizer.describe(); };
    CHECK_THROWS(diarizer.process(audio, test::rate, 1, calls_back), invalid_argument, "callback");
    CHECK(!diarizer.process(audio, test::rate).segments().empty());
}

void deadlines(const std::vector<float> &audio)
{
    const Diarizer diarizer(test::options().set_deadline(0ms));
    try {
        (void)diarizer.process(audio, test::rate);
        CHECK(false);
    } catch (const voiceflow::DeadlinePassed &error) {
        CHECK_ERROR(error, deadline, "deadline");
    }
    // A little time is not none.
    const Diarizer hurried(test::options().set_deadline(1us));
    CHECK_THROWS(
        hurried.process(audio, test::rate, [](Stage, float) { std::this_thread::sleep_for(2ms); }), deadline,
        "deadline of 1 ms");
    CHECK(!Diarizer(test::options().set_deadline(10min)).process(audio, test::rate).segments().empty());
}

void files(const Diarizer &diarizer, char **first)
{
    for (char **path = first; *path != nullptr; ++path) {
        float last = 0;
        const Diarization result = diarizer.process_file(std::filesystem::path(*path),
                                                         [&](Stage, float fraction) { last = fraction; });
        CHECK(result.duration() > 0s && last == 1.0F);
        CHECK(test::same(result.segments(), diarizer.process_file(*path).segments()));
    }
    CHECK_THROWS(diarizer.process_file("/nowhere.wav"), not_found, "/nowhere.wav");
}

}  // namespace

int main(int, char **arguments)
{
    const std::vector<float> audio = test::audio(std::size_t{20} * test::rate, 4);
    const Diarizer diarizer(test::options());
    results(diarizer, audio);
    models(diarizer);
    progress(diarizer, audio);
    exceptions(diarizer, audio);
    deadlines(audio);
    files(diarizer, arguments + 1);
}
