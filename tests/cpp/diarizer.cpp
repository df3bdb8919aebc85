// Whole recordings: samples and files, results, progress, exceptions in callbacks, deadlines.
#include "support.hpp"

#include <chrono>
#include <stdexcept>
#include <thread>

using namespace std::chrono_literals;
using voiceflow::Call;
using voiceflow::Diarization;
using voiceflow::Diarizer;
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
    CHECK(result.to_vtt().find("<v SPEAKER_00>") != std::string::npos);
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
    const Call watching = test::reporting(watch);
    const auto watched = diarizer.process(audio, test::rate, 1, watching).segments();
    CHECK(last == 1.0F && stage >= Stage::clustering);
    CHECK(test::same(watched, diarizer.process(audio, test::rate).segments()));

    last = 0;
    stage = Stage::analysis;
    CHECK(test::same(diarizer.process(audio, test::rate, watching).segments(), watched) && last == 1.0F);
    last = 0;
    stage = Stage::analysis;
    CHECK(!diarizer.process(test::as_i16(audio), test::rate, watching).segments().empty() && last == 1.0F);

    int calls = 0;
    const voiceflow::Cancel cancel;
    Call counted = test::reporting([&](Stage, float) {
        if (++calls == 2) {
            cancel.set();
        }
    });
    counted.cancel = &cancel;
    try {
        (void)diarizer.process(audio, test::rate, 1, counted);
        CHECK(false);
    } catch (const voiceflow::Cancelled &error) {
        CHECK_ERROR(error, cancelled, "cancelled while");
    }
    CHECK(calls >= 2);
}

/// One diarizer, and other numbers of speakers with each call.
void speakers(const Diarizer &diarizer, const std::vector<float> &audio)
{
    Call call;
    for (const std::size_t count : {std::size_t{1}, std::size_t{4}}) {
        call.num_speakers = count;
        CHECK(diarizer.process(audio, test::rate, call).speaker_count() == count);
    }
    call.min_speakers = 1;
    CHECK_THROWS(diarizer.process(audio, test::rate, call), invalid_argument, "call: num_speakers: expected without");
    call = Call();
    call.min_speakers = 3;
    call.max_speakers = 3;
    call.exclusive = true;
    const Diarization result = diarizer.process(audio, test::rate, call);
    CHECK(result.speaker_count() == 3);
    double end_s = 0;
    for (const auto &segment : result.segments()) {
        CHECK(segment.start_s >= end_s);
        end_s = segment.end_s;
    }
    const voiceflow::Session session(test::options());
    CHECK_THROWS(session.infer(audio, 1, call), invalid_argument, "as an inference has no use for it");
}

/// What is asked of the channels of samples, and what the result says of them.
void channels(const Diarizer &diarizer, const std::vector<float> &audio)
{
    std::vector<float> frames;
    for (const float sample : audio) {
        frames.push_back(sample);
        frames.push_back(-sample);
    }
    const Diarization mixed = diarizer.process(frames, test::rate, 2);
    CHECK(mixed.warning_count() == 1);
    const voiceflow::Warning warning = mixed.warning(0);
    CHECK(warning.code == voiceflow::WarningCode::inverted_channels && warning.time.count() < 1.0);
    CHECK(warning.text.find("each other's inverse") != std::string::npos);
    CHECK_THROWS(mixed.warning(1), invalid_argument, "index: expected one of the 1 warnings, got 1");
    Call call;
    call.channel = 1;
    const Diarization left = diarizer.process(frames, test::rate, 2, call);
    CHECK(left.warning_count() == 0);
    CHECK(test::same(left.segments(), diarizer.process(audio, test::rate).segments()));
    call.separate_channels = true;
    CHECK_THROWS(diarizer.process(frames, test::rate, 2, call), invalid_argument, "call: flags: expected VF_CALL_CHANNEL");
    call.channel.reset();
    CHECK(diarizer.process(frames, test::rate, 2, call).speaker_label(0) == "CH1_SPEAKER_00");
    call = Call();
    call.all_tracks = true;
    CHECK(diarizer.process(audio, test::rate, call).speaker_label(0) == "TRACK1_SPEAKER_00");
    call.all_tracks = false;
    call.track = 2;
    CHECK_THROWS(diarizer.process(audio, test::rate, call), audio, "track: expected one of the 1 that there are");
}

#ifdef __cpp_lib_jthread
void stops(const Diarizer &diarizer, const std::vector<float> &audio)
{
    std::stop_source source;
    Call call;
    call.stop = source.get_token();
    CHECK(!diarizer.process(audio, test::rate, call).segments().empty());
    // From the callback, so that the call is under way.
    call.progress = [&](Stage, float) { source.request_stop(); };
    const voiceflow::Cancel unset;
    call.cancel = &unset;
    CHECK_THROWS(diarizer.process(audio, test::rate, call), cancelled, "cancelled while");
    call.progress = nullptr;
    CHECK_THROWS(diarizer.process(audio, test::rate, call), cancelled, "cancelled while");
    // The caller's own switch is as it was.
    call.stop = std::stop_token();
    CHECK(!diarizer.process(audio, test::rate, call).segments().empty());
}
#endif

void exceptions(const Diarizer &diarizer, const std::vector<float> &audio)
{
    int calls = 0;
    const voiceflow::Cancel shared;
    Call fault = test::reporting([&](Stage, float) {
        ++calls;
        throw OwnFault{42};
    });
    fault.cancel = &shared;
    try {
        (void)diarizer.process(audio, test::rate, 1, fault);
        CHECK(false);
    } catch (const OwnFault &own) {
        CHECK(own.code == 42);
    }
    CHECK(calls == 1);
    // What it throws ends its own call, and none beside it that has the same switch.
    Call beside;
    beside.cancel = &shared;
    CHECK(!diarizer.process(audio, test::rate, beside).segments().empty());
    try {
        (void)diarizer.process_file("no matter", test::reporting([](Stage, float) {}));
        CHECK(false);
    } catch (const voiceflow::Error &error) {
        CHECK_ERROR(error, not_found, "no matter");
    }
    // Thrown where it would not be taken for the library's: the last report of all.
    const Call at_the_end = test::reporting([](Stage stage, float fraction) {
        if (stage == Stage::reconstruction && fraction >= 1.0F) {
            throw std::logic_error("at the end");
        }
    });
    try {
        (void)diarizer.process(audio, test::rate, 1, at_the_end);
        CHECK(false);
    } catch (const std::logic_error &error) {
        CHECK(std::string(error.what()) == "at the end");
    }
    // A call of the library inside a callback is refused, and its error is the callback's own.
    const Call calls_back = test::reporting([&](Stage, float) { (void)diarizer.describe(); });
    CHECK_THROWS(diarizer.process(audio, test::rate, 1, calls_back), invalid_argument, "callback");
    CHECK(!diarizer.process(audio, test::rate).segments().empty());
}

void deadlines(const Diarizer &diarizer, const std::vector<float> &audio)
{
    Call call;
    call.deadline = 0ms;
    try {
        (void)diarizer.process(audio, test::rate, call);
        CHECK(false);
    } catch (const voiceflow::DeadlinePassed &error) {
        CHECK_ERROR(error, deadline, "deadline");
    }
    // A little time is not none.
    call.deadline = 1us;
    call.progress = [](Stage, float) { std::this_thread::sleep_for(2ms); };
    CHECK_THROWS(diarizer.process(audio, test::rate, call), deadline, "deadline of 1 ms");
    call = Call();
    call.deadline = 10min;
    CHECK(!diarizer.process(audio, test::rate, call).segments().empty());
}

void files(const Diarizer &diarizer, char **first)
{
    for (char **path = first; *path != nullptr; ++path) {
        float last = 0;
        const Diarization result =
            diarizer.process_file(std::filesystem::path(*path),
                                  test::reporting([&](Stage, float fraction) { last = fraction; }));
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
    speakers(diarizer, audio);
    channels(diarizer, audio);
#ifdef __cpp_lib_jthread
    stops(diarizer, audio);
#endif
    deadlines(diarizer, audio);
    files(diarizer, arguments + 1);
}
