// The style without exceptions: every kind of function, and every failure, as an expected.
#include "support.hpp"

#include <chrono>
#include <string_view>
#include <type_traits>
#include <utility>

#ifndef VOICEFLOW_NO_EXCEPTIONS
#error "compile this with -DVOICEFLOW_NO_EXCEPTIONS or -fno-exceptions"
#endif

using namespace std::chrono_literals;
using voiceflow::Diarizer;
using voiceflow::expected;
using voiceflow::Options;

namespace {

static_assert(std::is_same_v<voiceflow::result<int>, expected<int>>);
static_assert(!std::is_default_constructible_v<Diarizer> &&
              !std::is_constructible_v<Diarizer, const Options &>);
static_assert(std::is_move_constructible_v<expected<Diarizer>> &&
              !std::is_copy_constructible_v<expected<Diarizer>>);

/// What must be there.
template <class T>
T value(expected<T> answer)
{
    if (!answer) {
        std::fprintf(stderr, "%s\n", answer.error().what());
        std::exit(1);
    }
    return *std::move(answer);
}

Options options()
{
    Options made = value(Options::create());
    CHECK(made.set_model_path(test::setting("VF_TEST_MODEL")));
    CHECK(made.set_provider(voiceflow::Provider::cpu, voiceflow::ProviderPolicy::required));
    CHECK(made.set_threads(1).has_value());
    return made;
}

void failures()
{
    Options made = options();
    const expected<void> refused = made.set_threads(257);
    CHECK(!refused && !refused.has_value());
    CHECK_ERROR(refused.error(), invalid_argument, "257");
    CHECK_ERROR(made.set_bundle(std::string("a\0b", 3)).error(), invalid_argument, "bundle: ");
    CHECK_ERROR(made.set_plda(std::string("a\0b", 3)).error(), invalid_argument, "folder: ");
    CHECK_ERROR(made.set_cache_folder(std::string("a\0b", 3)).error(), invalid_argument, "folder: ");
    CHECK_ERROR(made.set_device_memory_limit(1).error(), invalid_argument, "got 1");
    CHECK(made.set_model_path("/nowhere.onnx"));
    CHECK_ERROR(Diarizer::create(made).error(), not_found, "/nowhere.onnx");
    CHECK_ERROR(voiceflow::Session::create(made).error(), not_found, "/nowhere.onnx");
    const Options other(std::move(made));
    CHECK_ERROR(Diarizer::create(made).error(), null, "moved from");
    CHECK_ERROR(made.set_threads(1).error(), null, "options");
}

void recordings(const Diarizer &diarizer, const std::vector<float> &audio)
{
    CHECK(value(diarizer.describe()).sample_rate == test::rate &&
          value(diarizer.model_sha256()).size() == 64);
    float last = 0;
    const auto watch = [&](voiceflow::Stage, float fraction) { last = fraction; };
    const voiceflow::Call watching = test::reporting(watch);
    const auto result = value(diarizer.process(audio, test::rate, 1, watching));
    CHECK(last == 1.0F && !value(result.segments()).empty() && value(result.duration()) == 12s);
    last = 0;
    CHECK(diarizer.process(audio, test::rate, watching) && last == 1.0F);
    CHECK(value(result.to_rttm("a")).rfind("SPEAKER a 1 ", 0) == 0);
    CHECK_ERROR(result.speaker_label(-1).error(), invalid_argument, "speaker");

    const auto cancel = value(voiceflow::Cancel::create());
    voiceflow::Call stopped = test::reporting([&](voiceflow::Stage, float) { CHECK(cancel.set()); });
    stopped.cancel = &cancel;
    CHECK_ERROR(diarizer.process(audio, test::rate, 1, stopped).error(), cancelled, "cancelled");
    CHECK_ERROR(diarizer.process_file("/nowhere.wav").error(), not_found, "/nowhere.wav");
    CHECK_ERROR(diarizer.process(voiceflow::span<const float>(audio.data(), 3), test::rate, 2).error(),
                invalid_argument, "2 channels");
    voiceflow::Call late;
    late.deadline = 0ms;
    CHECK_ERROR(diarizer.process(audio, test::rate, late).error(), deadline, "deadline");
    late.deadline = -1ms;
    CHECK_ERROR(diarizer.process(audio, test::rate, late).error(), invalid_argument, "got -0.001 s");

    const auto stream = value(voiceflow::Stream::create(diarizer, test::rate));
    CHECK(stream.push(audio));
    CHECK(!value(stream.finish()).segments()->empty() && !value(stream.read()).empty());
    CHECK_ERROR(stream.push(audio).error(), invalid_argument, "finish");
    CHECK(stream.reset());
    CHECK_ERROR(stream.push(audio, stopped).error(), cancelled, "cancelled");

    const auto gallery = value(voiceflow::Gallery::create(diarizer));
    CHECK(gallery.enroll_embedding("ada", value(result.speaker_embedding(0)), 5s));
    CHECK(gallery.identify(result)->at(0).name == "ada");
    CHECK_ERROR(gallery.enroll_file(diarizer, "ada", "/nowhere.wav").error(), not_found, "/nowhere.wav");
    CHECK_ERROR(voiceflow::Gallery::load(diarizer, "/nowhere.json").error(), not_found, "/nowhere.json");
}

void sessions(const std::vector<float> &audio)
{
    const auto session = value(voiceflow::Session::create(options()));
    const auto cancel = value(voiceflow::Cancel::create());
    voiceflow::Call call;
    call.cancel = &cancel;
    CHECK(session.infer(audio, 1, call)->shape.batch == 1);
    CHECK(cancel.child().has_value() && cancel.set());
    CHECK_ERROR(session.infer(audio, 1, call).error(), cancelled, "cancelled");
    CHECK_ERROR(session.infer(audio, 7).error(), invalid_argument, "7 rows");
}

}  // namespace

int main()
{
    int records = 0;
    CHECK(voiceflow::set_log_callback(
        [&](voiceflow::LogLevel, std::string_view, std::string_view) { ++records; },
        voiceflow::LogLevel::trace));
    const std::vector<float> audio = test::audio(std::size_t{12} * test::rate, 3);
    failures();
    {
        const Options made = options();
        recordings(value(Diarizer::create(made)), audio);
    }
    sessions(audio);
    CHECK(voiceflow::clear_log_callback() && records > 0);
}
