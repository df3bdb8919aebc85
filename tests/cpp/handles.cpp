// Moves of every handle, what was moved from, and destruction in any order.
#include "support.hpp"

#include <memory>
#include <utility>

using voiceflow::Diarization;
using voiceflow::Diarizer;
using voiceflow::Gallery;
using voiceflow::Options;
using voiceflow::Session;
using voiceflow::Stream;

namespace {

/// Moves, by construction and assignment, also from a handle to itself, keep the C handle and leave
/// none behind.
template <class T>
void moves(T first, T second)
{
    auto *const one = first.get();
    auto *const two = second.get();
    CHECK(first && second && one != two);
    T moved(std::move(first));
    CHECK(moved.get() == one && !first && first.get() == nullptr);
    moved = std::move(second);
    CHECK(moved.get() == two && !second);
    T &itself = moved;
    moved = std::move(itself);
    CHECK(moved.get() == two);
    first = std::move(moved);
    CHECK(first.get() == two && !moved);
    second = std::move(moved);
    CHECK(!second);
    using std::swap;
    swap(first, second);
    CHECK(!first && second.get() == two);
}

void moved_from(const Diarizer &diarizer, const std::vector<float> &audio)
{
    Options options;
    const Options kept(std::move(options));
    CHECK_THROWS(options.set_threads(1), null, "options");
    CHECK_THROWS(Diarizer(options), null, "options: expected options, got some that were moved from");
    CHECK_THROWS(Session(options), null, "options: ");
    CHECK_THROWS(Stream(diarizer, options, test::rate), null, "options: ");
    options = Options();
    options.set_threads(1);

    Diarizer gone(test::options());
    const Diarizer there(std::move(gone));
    CHECK_THROWS(gone.describe(), null, "diarizer");
    CHECK_THROWS(gone.model_name(), null, "diarizer");
    CHECK_THROWS(gone.process(audio, test::rate), null, "diarizer");
    CHECK_THROWS(gone.process_file("file.wav"), null, "diarizer");
    CHECK_THROWS(Stream(gone, test::rate), null, "diarizer");
    CHECK_THROWS(Gallery(gone), null, "diarizer");
    CHECK(there.describe().sample_rate == test::rate);

    Session session(test::options());
    const Session other(std::move(session));
    CHECK_THROWS(session.infer(audio, 1), null, "session");
    voiceflow::Cancel cancel;
    const voiceflow::Cancel other_cancel(std::move(cancel));
    CHECK_THROWS(cancel.set(), null, "cancel");
    CHECK_THROWS(cancel.child(), null, "cancel");
    voiceflow::Call call;
    call.cancel = &cancel;
    CHECK_THROWS(other.infer(audio, 1, call), null, "cancel");

    Stream stream(diarizer, test::rate);
    const Stream other_stream(std::move(stream));
    CHECK_THROWS(stream.push(audio), null, "stream");
    CHECK_THROWS(stream.read(), null, "stream");
    CHECK_THROWS(stream.finish(), null, "stream");
    CHECK_THROWS(stream.reset(), null, "stream");

    Diarization result = diarizer.process(audio, test::rate);
    const Diarization other_result(std::move(result));
    CHECK_THROWS(result.segments(), null, "diarization");
    CHECK_THROWS(result.to_rttm("x"), null, "diarization");
    CHECK(!other_result.segments().empty());

    Gallery gallery(diarizer);
    const Gallery other_gallery(std::move(gallery));
    CHECK_THROWS(gallery.count(), null, "gallery");
    CHECK_THROWS(gallery.identify(other_result), null, "gallery");
    CHECK_THROWS(other_gallery.identify(result), null, "diarization");
}

/// What was made lives on when what it was made of is gone.
void any_order(const std::vector<float> &audio)
{
    auto options = std::make_unique<Options>(test::options());
    auto diarizer = std::make_unique<Diarizer>(*options);
    options.reset();
    auto stream = std::make_unique<Stream>(*diarizer, test::rate);
    auto gallery = std::make_unique<Gallery>(*diarizer);
    auto result = std::make_unique<Diarization>(diarizer->process(audio, test::rate));
    diarizer.reset();
    stream->push(audio);
    const Diarization streamed = stream->finish();
    stream.reset();
    gallery->enroll_embedding("ada", result->speaker_embedding(0), voiceflow::Seconds(20));
    CHECK(gallery->identify(*result)[0].name == "ada");
    result.reset();
    CHECK(gallery->count() == 1);
    gallery.reset();
    CHECK(streamed.duration().count() > 0);
}

}  // namespace

int main()
{
    const std::vector<float> audio = test::audio(std::size_t{12} * test::rate, 3);
    const Diarizer diarizer(test::options());
    moves(Options(), Options());
    moves(voiceflow::Cancel(), voiceflow::Cancel());
    moves(Session(test::options()), Session(test::options()));
    moves(Diarizer(test::options()), Diarizer(test::options()));
    moves(diarizer.process(audio, test::rate), diarizer.process(audio, test::rate));
    moves(Stream(diarizer, test::rate), Stream(diarizer, test::rate));
    moves(Gallery(diarizer), Gallery(diarizer));
    moved_from(diarizer, audio);
    any_order(audio);
}
