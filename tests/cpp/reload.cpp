// Another model in the place of one that is in use.
#include "support.hpp"

#include <thread>

using voiceflow::Call;
using voiceflow::Diarizer;
using voiceflow::Options;
using voiceflow::Session;

namespace {

void diarizers(const std::vector<float> &audio)
{
    const Diarizer diarizer(test::options());
    const voiceflow::Stream stream(diarizer, test::rate);
    CHECK(diarizer.voice_space().empty());
    Options fast;
    fast.set_bundle("fast-cnn");
    diarizer.reload(fast);
    CHECK(diarizer.model_name() == "fast-cnn" && diarizer.voice_space() == "fast-cnn-1");
    const auto versions = diarizer.versions();
    CHECK(versions.size() == 2 && versions[0].number == 2 && versions[1].streams == 1);
    CHECK(voiceflow::is_current(versions[0]) && !voiceflow::is_current(versions[1]));
    CHECK(versions[0].sha256 == diarizer.model_sha256());
    static_cast<void>(diarizer.process(audio, test::rate));

    Options broken;
    broken.set_model_path("/nowhere/model.onnx");
    CHECK_THROWS(diarizer.reload(broken), not_found, "reload: load: /nowhere/model.onnx");
    Call hurried;
    hurried.deadline = std::chrono::milliseconds(0);
    CHECK_THROWS(diarizer.reload(fast, hurried), deadline, "reload: ");
    const Options moved = std::move(broken);
    CHECK_THROWS(diarizer.reload(broken), null, "moved from");  // NOLINT(bugprone-use-after-move)
    CHECK(diarizer.versions()[0].number == 2);
}

void sessions()
{
    const Session session(test::options());
    session.reload(test::options());
    CHECK(session.versions().size() == 1 && session.versions()[0].number == 2);
    CHECK(session.voice_space().empty());
    // Its callers have arrays of the sizes of the running model.
    CHECK_THROWS(session.reload(Options()), model, "as of the running model");
}

void under_way(const std::vector<float> &audio)
{
    const Diarizer diarizer(test::options());
    std::thread user([&] {
        for (int round = 0; round < 3; round++) {
            static_cast<void>(diarizer.process(audio, test::rate));
        }
    });
    for (int round = 0; round < 3; round++) {
        diarizer.reload(test::options());
    }
    user.join();
    CHECK(diarizer.versions().size() == 1 && diarizer.versions()[0].number == 4);
}

}  // namespace

int main()
{
    const std::vector<float> audio = test::audio(std::size_t{3} * test::rate, 1);
    diarizers(audio);
    sessions();
    under_way(audio);
    return 0;
}
