// Live audio: pushes, reads, the end, cancellation, exceptions in the callback of the end.
#include "support.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

using namespace std::chrono_literals;
using voiceflow::Diarizer;
using voiceflow::Segment;
using voiceflow::Stream;

namespace {

/// All final segments of a stream that is fed in pieces.
template <class Sample>
std::vector<Segment> feed(const Stream &stream, const std::vector<Sample> &samples, std::size_t piece)
{
    std::vector<Segment> final_ones;
    const auto keep = [&](const std::vector<Segment> &read) {
        for (const Segment &segment : read) {
            if (voiceflow::is_final(segment)) {
                final_ones.push_back(segment);
            }
        }
    };
    for (std::size_t at = 0; at < samples.size(); at += piece) {
        stream.push(voiceflow::span<const Sample>(samples.data() + at, std::min(piece, samples.size() - at)));
        keep(stream.read());
    }
    const voiceflow::Diarization result = stream.finish();
    keep(stream.read());
    CHECK(stream.final_speakers().size() == stream.speaker_count());
    CHECK(result.duration().count() > 0);
    return final_ones;
}

void pieces(const Diarizer &diarizer, const std::vector<float> &audio)
{
    const Stream stream(diarizer, voiceflow::Options().set_latency(1s), test::rate);
    CHECK(stream.latency() >= 1s && stream.latency() < 2s && stream.updates() == 0);
    const std::vector<Segment> whole = feed(stream, audio, audio.size());
    CHECK(whole.size() > 1 && stream.updates() > 0 && stream.read().empty());
    CHECK(stream.speaker_embedding(0).size() == diarizer.describe().embedding_dim);
    CHECK_THROWS(stream.speaker_embedding(-1), invalid_argument, "speaker");
    CHECK_THROWS(stream.push(audio), invalid_argument, "finish");
    stream.reset();
    CHECK(test::same(feed(stream, audio, 1234), whole));

    const Stream integers(diarizer, test::rate);
    CHECK(feed(integers, test::as_i16(audio), 1600).size() > 1);

    const Stream stereo(diarizer, test::rate, 2);
    CHECK_THROWS(stereo.push(voiceflow::span<const float>(audio.data(), 3)), invalid_argument,
                 "samples: expected a multiple of the 2 channels, got 3 values");
    stereo.push(std::vector<float>());
    Segment one{};
    CHECK(stereo.read_into(voiceflow::span<Segment>(&one, 1)) == 0);
    CHECK_THROWS(Stream(diarizer, 999), invalid_argument, "999");
}

/// More than is read at once comes in one read, each final segment once.
void many(const Diarizer &diarizer)
{
    const std::vector<float> audio = test::audio(std::size_t{240} * test::rate, 8);
    const Stream stream(diarizer, voiceflow::Options().set_min_speech(0s), test::rate);
    stream.push(audio);
    const std::vector<Segment> first = stream.read();
    CHECK(first.size() > 64 && stream.read().empty());
    const auto provisional = std::find_if_not(first.begin(), first.end(), voiceflow::is_final);
    CHECK(std::none_of(provisional, first.end(), voiceflow::is_final));
    std::vector<Segment> final_ones(first.begin(), provisional);
    (void)stream.finish();
    const std::vector<Segment> rest = stream.read();
    final_ones.insert(final_ones.end(), rest.begin(), rest.end());

    const Stream other(diarizer, voiceflow::Options().set_min_speech(0s), test::rate);
    CHECK(test::same(feed(other, audio, 16000), final_ones));
}

/// While another thread pushes, each read is of one state.
void reads_beside_pushes(const Diarizer &diarizer, const std::vector<float> &audio)
{
    const Stream stream(diarizer, test::rate);
    std::atomic<bool> done = false;
    std::thread pushing([&] {
        for (std::size_t at = 0; at + 1600 <= audio.size(); at += 1600) {
            stream.push(voiceflow::span<const float>(audio.data() + at, 1600));
        }
        done = true;
    });
    std::vector<Segment> final_ones;
    const auto keep = [&] {
        bool provisional = false;
        for (const Segment &segment : stream.read()) {
            CHECK(!voiceflow::is_final(segment) || !provisional);
            provisional = !voiceflow::is_final(segment);
            if (!provisional) {
                final_ones.push_back(segment);
            }
        }
    };
    while (!done) {
        keep();
    }
    pushing.join();
    (void)stream.finish();
    keep();
    const Stream alone(diarizer, test::rate);
    CHECK(test::same(feed(alone, audio, 1600), final_ones));
}

void ends(const Diarizer &diarizer, const std::vector<float> &audio)
{
    struct OwnFault {};
    const Stream stream(diarizer, test::rate);
    stream.push(audio);
    try {
        (void)stream.finish(test::reporting([](voiceflow::Stage, float) { throw OwnFault(); }));
        CHECK(false);
    } catch (const OwnFault &) {
        // As after any cancelled call, the stream can still be ended.
        CHECK(!stream.finish().segments().empty());
    }

    voiceflow::Call late;
    late.deadline = 0ms;
    const Stream cancelled(diarizer, voiceflow::Options().set_latency(1s), test::rate);
    CHECK_THROWS(cancelled.push(audio, late), deadline, "deadline");
    CHECK_THROWS(Stream(diarizer, test::rate, 1, test::exclusive()), invalid_argument, "as making a stream has");

    // Pushes without an end of their own, until another thread cancels one.
    const voiceflow::Cancel cancel;
    std::thread other([&] {
        std::this_thread::sleep_for(50ms);
        cancel.set();
    });
    try {
        while (test::in_time()) {
            cancelled.push(audio, test::with(cancel));
            cancelled.reset();
        }
        CHECK(false);
    } catch (const voiceflow::Cancelled &error) {
        CHECK_ERROR(error, cancelled, "cancelled");
    }
    other.join();
    cancelled.push(std::vector<float>());
    CHECK(cancelled.updates() > 0);
    CHECK_THROWS(cancelled.reset(test::exclusive()), invalid_argument, "as a reset has no use for it");
}

}  // namespace

int main()
{
    const std::vector<float> audio = test::audio(std::size_t{20} * test::rate, 7);
    const Diarizer diarizer(test::options());
    pieces(diarizer, audio);
    many(diarizer);
    reads_beside_pushes(diarizer, audio);
    ends(diarizer, audio);
}
