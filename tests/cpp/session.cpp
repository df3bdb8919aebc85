// One model without a diarizer: shapes, results with and without allocation, switches.
#include "support.hpp"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <thread>

using namespace std::chrono_literals;
using voiceflow::Session;

namespace {

void models(const Session &session)
{
    const voiceflow::ModelInfo info = session.describe();
    CHECK(info.window_samples > 0 && info.max_speakers > 0 && info.embedding_dim > 0);
    CHECK(!session.model_name().empty() && !session.model_version().empty());
    CHECK(session.model_sha256().size() == 64);
    CHECK_THROWS(session.frames(1), invalid_argument, "samples");
}

void inference(const Session &session)
{
    const std::size_t batch = 3;
    const std::size_t samples = session.describe().window_samples;
    const std::vector<float> audio = test::audio(batch * samples, 5);
    const voiceflow::InferenceShape shape = session.shape(batch, samples);
    CHECK(shape.batch == batch && shape.frames == session.frames(samples));
    const voiceflow::Inference answer = session.infer(audio, batch);
    CHECK(answer.shape.frames == shape.frames && answer.activity.size() == shape.activity_size());
    CHECK(answer.embedding.size() == shape.embedding_size() && shape.embedding_size() > 0);
    for (const float probability : answer.activity) {
        CHECK(probability >= 0.0F && probability <= 1.0F);
    }

    std::vector<float> activity(shape.activity_size());
    std::vector<float> embedding(shape.embedding_size());
    CHECK(session.infer_into(audio, batch, activity, embedding) == shape.frames);
    CHECK(activity == answer.activity && embedding == answer.embedding);
    const voiceflow::Cancel unset;
    CHECK(session.infer(audio, batch, test::with(unset)).activity == activity);

    const voiceflow::span<float> small(activity.data(), 1);
    CHECK_THROWS(session.infer_into(audio, batch, small, embedding), buffer_too_small, "1");
    CHECK_THROWS(session.infer(audio, 7), invalid_argument, "audio: expected a multiple of the 7 rows, got ");
    CHECK_THROWS(session.infer(audio, 0), invalid_argument, "batch: expected at least 1, got 0");
    CHECK_THROWS(session.shape(0, samples), invalid_argument, "batch: expected at least 1, got 0");
    CHECK_THROWS(session.shape(1025, samples), limit, "batch: expected at most 1024, got 1025");
    CHECK_THROWS(session.shape(static_cast<std::size_t>(-1), samples), limit, "batch: ");
    CHECK(session.shape(1024, samples).activity_size() == 1024 * shape.frames * shape.speakers);
    CHECK_THROWS(session.infer({}, 1), invalid_argument, "samples");
}

/// A call whose switch another thread sets ends; the switch stays set; a call beside it is not
/// concerned.
void switches(const Session &session)
{
    const std::size_t samples = session.describe().window_samples;
    const std::size_t batch = 64;
    const std::vector<float> audio = test::audio(batch * samples, 6);
    std::vector<float> activity(session.shape(batch, samples).activity_size());
    std::vector<float> embedding(session.shape(batch, samples).embedding_size());
    const voiceflow::Cancel cancel;
    std::thread other([&] {
        std::this_thread::sleep_for(20ms);
        cancel.set();
    });
    try {
        // Without an end of its own, so that it is not over before it is cancelled.
        while (test::in_time()) {
            (void)session.infer_into(audio, batch, activity, embedding, test::with(cancel));
        }
        CHECK(false);
    } catch (const voiceflow::Cancelled &error) {
        CHECK_ERROR(error, cancelled, "cancelled");
    }
    other.join();
    CHECK_THROWS(session.infer(audio, batch, test::with(cancel)), cancelled, "cancelled");
    CHECK(session.infer(audio, batch).shape.batch == batch);
}

/// Room is looked at before the switch.
void switch_and_room()
{
    const Session session(test::options());
    const std::vector<float> audio = test::audio(test::rate, 8);
    const voiceflow::Cancel cancel;
    cancel.set();
    CHECK_THROWS(session.infer(audio, 1, test::with(cancel)), cancelled, "cancelled");
    CHECK_THROWS(session.infer_into(audio, 1, {}, {}, test::with(cancel)), buffer_too_small, "0");
    CHECK_THROWS(session.infer({}, 1, test::with(cancel)), invalid_argument, "samples");
}

/// What the first session writes into the folder, the second is made of; the results are the same
/// to the bit.
void cache_folder()
{
    std::string name = (std::filesystem::temp_directory_path() / "voiceflow-XXXXXX").string();
    CHECK(mkdtemp(name.data()) != nullptr);
    const std::filesystem::path folder = std::filesystem::path(name) / "made";
    const std::vector<float> audio = test::audio(test::rate, 7);
    const Session plain(test::options());
    const voiceflow::Inference expected = plain.infer(audio, 1);
    for (int round = 0; round < 2; round++) {
        const Session session(test::options().set_cache_folder(folder));
        const voiceflow::Inference found = session.infer(audio, 1);
        CHECK(found.activity == expected.activity && found.embedding == expected.embedding);
        CHECK(session.model_sha256() == plain.model_sha256());
        const std::filesystem::directory_iterator files(folder);
        CHECK(files->path().extension() == ".cache");
        CHECK(std::distance(files, std::filesystem::directory_iterator()) == 1);
    }
    const auto file = std::filesystem::directory_iterator(folder)->path();
    CHECK_THROWS(Session(test::options().set_cache_folder(file)), invalid_argument,
                 "cache_folder: expected a folder");
    std::filesystem::remove_all(name);
}

void deadline()
{
    const Session session(test::options());
    const std::vector<float> audio(session.describe().window_samples);
    voiceflow::Call call;
    call.deadline = 0ms;
    CHECK_THROWS(session.infer(audio, 1, call), deadline, "deadline");
}

void loads()
{
    voiceflow::Call call;
    call.deadline = 0ms;
    CHECK_THROWS(Session(test::options(), call), deadline, "deadline of 0 ms passed while loading a model");
    call.deadline = -1ms;
    CHECK_THROWS(Session(test::options(), call), invalid_argument, "deadline: expected 0 s or more, got -0.001 s");
    const voiceflow::Cancel cancel;
    call = {60s, &cancel};
    CHECK(Session(test::options(), call).describe().window_samples > 0);
    cancel.set();
    CHECK_THROWS(voiceflow::Diarizer(test::options(), call), cancelled, "cancelled while loading a model");
}

}  // namespace

int main()
{
    const Session session(test::options());
    models(session);
    inference(session);
    switches(session);
    switch_and_room();
    cache_folder();
    deadline();
    loads();
}
