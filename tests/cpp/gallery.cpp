// Known voices. The gallery's file lies beside this program, whose name is the first argument.
#include "support.hpp"

#include <filesystem>
#include <fstream>

using voiceflow::Diarizer;
using voiceflow::Gallery;
using voiceflow::Seconds;

namespace {

/// A vector along one axis, and a little along another.
std::vector<float> voice(std::size_t dim, std::size_t axis, std::size_t other)
{
    std::vector<float> values(dim);
    values[other] = 0.3F;
    values[axis] = 1.0F;
    return values;
}

void voices(const Diarizer &diarizer, const std::filesystem::path &file)
{
    const std::size_t dim = diarizer.describe().embedding_dim;
    const Gallery gallery(diarizer);
    CHECK(gallery.count() == 0);
    CHECK(gallery.identify(voice(dim, 0, 0)).name.empty() &&
          gallery.identify(voice(dim, 0, 0)).score == -1.0F);
    gallery.enroll_embedding("ada", voice(dim, 0, 0), Seconds(20));
    gallery.enroll_embedding(std::string("kim"), voice(dim, 1, 1), std::chrono::minutes(1));
    CHECK(gallery.count() == 2 && gallery.name(0) == "ada" && gallery.name(1) == "kim");
    const voiceflow::Identity kim = gallery.identify(voice(dim, 1, 2));
    CHECK(kim.name == "kim" && kim.score > 0.9F && kim.score < 1.0F);
    CHECK(gallery.threshold() > 0.0F && gallery.threshold() < 0.9F);
    CHECK(gallery.identify(voice(dim, 1, 2), gallery.threshold()).name == "kim");
    CHECK(gallery.identify(voice(dim, 1, 2), 0.99F).name.empty());
    CHECK(gallery.identify(voice(dim, 1, 2), 0.99F).score == kim.score);

    CHECK_THROWS(gallery.name(2), invalid_argument, "index");
    CHECK_THROWS(gallery.enroll_embedding("SPEAKER_00", voice(dim, 0, 0), Seconds(20)), invalid_argument,
                 "SPEAKER_00");
    CHECK_THROWS(gallery.enroll_embedding(std::string("a\0b", 3), voice(dim, 0, 0), Seconds(20)),
                 invalid_argument, "name: expected text without a zero byte");
    CHECK_THROWS(gallery.enroll_embedding("ben", voice(dim, 0, 0), Seconds(0)), invalid_argument, "speech_s");
    CHECK_THROWS(gallery.enroll_embedding("ben", voice(3, 0, 0), Seconds(1)), invalid_argument, "3");
    CHECK_THROWS(gallery.identify(voice(dim, 0, 0), 2.0F), invalid_argument, "threshold");
    CHECK_THROWS(gallery.remove("ben"), invalid_argument, "ben");

    gallery.save(file);
    const Gallery loaded(diarizer, file);
    CHECK(loaded.count() == 2 && loaded.identify(voice(dim, 1, 2)).score == kim.score);
    loaded.remove("ada");
    CHECK(loaded.count() == 1 && loaded.name(0) == "kim" && gallery.count() == 2);
    std::ofstream(file) << "no gallery";
    CHECK_THROWS(Gallery(diarizer, file), gallery, file.filename().string());
    std::filesystem::remove(file);
    CHECK_THROWS(Gallery::load(diarizer, file), not_found, file.filename().string());
    CHECK_THROWS(gallery.save("/nowhere/gallery.json"), not_found, "/nowhere/gallery.json");
}

void recordings(const Diarizer &diarizer)
{
    struct OwnFault {};
    const Gallery gallery(diarizer);
    const std::vector<float> audio = test::audio(std::size_t{20} * test::rate, 9);
    CHECK_THROWS(
        gallery.enroll_samples(diarizer, "ada", voiceflow::span<const float>(audio.data(), 1600), test::rate),
        audio, "speech");
    CHECK_THROWS(
        gallery.enroll_samples(diarizer, "ada", voiceflow::span<const float>(audio.data(), 3), test::rate, 2),
        invalid_argument, "samples: expected a multiple of the 2 channels, got 3 values");
    CHECK_THROWS(gallery.enroll_file(diarizer, "ada", "/nowhere.wav"), not_found, "/nowhere.wav");
    try {
        gallery.enroll_samples(diarizer, "ada", audio, test::rate,
                               test::reporting([](voiceflow::Stage, float) { throw OwnFault(); }));
        CHECK(false);
    } catch (const OwnFault &) {
        CHECK(gallery.count() == 0);
    }
    const voiceflow::Cancel cancel;
    voiceflow::Call call;
    call.cancel = &cancel;
    cancel.set();
    CHECK_THROWS(gallery.enroll_samples(diarizer, "ada", audio, test::rate, 1, call), cancelled, "cancelled");

    // The speakers of a result by the voices that they have in it.
    const voiceflow::Diarization result = diarizer.process(audio, test::rate);
    const std::size_t speakers = result.speaker_count();
    CHECK(gallery.identify(result).size() == speakers && gallery.identify(result)[0].name.empty());
    for (std::size_t speaker = 0; speaker < speakers; ++speaker) {
        const auto number = static_cast<std::int32_t>(speaker);
        gallery.enroll_embedding("speaker " + std::to_string(speaker), result.speaker_embedding(number),
                                 result.speaker_speech(number));
    }
    const auto identities = gallery.identify(result);
    CHECK(identities.size() == speakers);
    for (std::size_t speaker = 0; speaker < speakers; ++speaker) {
        CHECK(identities[speaker].name == "speaker " + std::to_string(speaker) &&
              identities[speaker].score > 0.99F);
    }
}

}  // namespace

int main(int, char **arguments)
{
    const Diarizer diarizer(test::options());
    voices(diarizer, std::string(arguments[0]) + ".gallery.json");
    recordings(diarizer);
}
