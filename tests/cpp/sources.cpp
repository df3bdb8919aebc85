// Encoded audio in memory and from streams.
#include "support.hpp"

#include <fstream>
#include <sstream>
#include <streambuf>

using voiceflow::Diarizer;

namespace {

/// A file as a recorder writes it.
std::string wav(const std::vector<float> &audio)
{
    const auto word = [](std::uint32_t value, unsigned bytes) {
        std::string text;
        for (unsigned i = 0; i < bytes; ++i) {
            text += static_cast<char>(value >> (8U * i) & 0xffU);
        }
        return text;
    };
    const auto size = static_cast<std::uint32_t>(audio.size() * 2);
    std::string file = "RIFF" + word(36 + size, 4) + "WAVEfmt " + word(16, 4) + word(1, 2) + word(1, 2) +
                       word(test::rate, 4) + word(test::rate * 2, 4) + word(2, 2) + word(16, 2) + "data" +
                       word(size, 4);
    for (const std::int16_t sample : test::as_i16(audio)) {
        file += word(static_cast<std::uint16_t>(sample), 2);
    }
    return file;
}

/// Gives bytes and cannot seek.
class Pipe : public std::streambuf {
public:
    explicit Pipe(std::string bytes) : bytes_(std::move(bytes))
    {
        setg(bytes_.data(), bytes_.data(), bytes_.data() + bytes_.size());
    }

private:
    std::string bytes_;
};

/// Throws when it is read.
class Broken : public std::streambuf {
protected:
    int_type underflow() override { throw std::runtime_error("the line went dead"); }
};

void same_from_everywhere(const Diarizer &diarizer)
{
    const auto audio = test::audio(std::size_t{12} * test::rate, 1);
    const std::string file = wav(audio);
    const std::vector<std::uint8_t> bytes(file.begin(), file.end());
    const auto expected = diarizer.process(test::as_i16(audio), test::rate).segments();
    CHECK(test::same(diarizer.process_encoded(bytes).segments(), expected));

    std::istringstream memory(file);
    CHECK(test::same(diarizer.process_stream(memory).segments(), expected));
    std::istringstream behind("some bytes" + file);
    behind.ignore(10);
    CHECK(test::same(diarizer.process_stream(behind).segments(), expected));
    Pipe pipe(file);
    std::istream through(&pipe);
    CHECK(test::same(diarizer.process_stream(through).segments(), expected));
}

void faults(const Diarizer &diarizer)
{
    CHECK_THROWS(diarizer.process_encoded({}), audio, "got an empty file (0 bytes)");
    std::istringstream text("hello");
    CHECK_THROWS(diarizer.process_stream(text), audio, "source: expected ");
    std::istream none(nullptr);
    CHECK_THROWS(diarizer.process_stream(none), io, "source: its read failed");

    Broken broken;
    std::istream stream(&broken);
    bool thrown = false;
    try {
        static_cast<void>(diarizer.process_stream(stream));
    } catch (const voiceflow::Error &) {
        CHECK(false);
    } catch (const std::runtime_error &error) {
        thrown = std::string(error.what()) == "the line went dead";
    }
    CHECK(thrown);

    const auto gallery = voiceflow::Gallery(diarizer);
    std::istringstream silence(wav(std::vector<float>(test::rate)));
    CHECK_THROWS(gallery.enroll_stream(diarizer, "ada", silence), audio, "speech");
    const std::vector<std::uint8_t> hello = {'h', 'e', 'l', 'l', 'o'};
    CHECK_THROWS(gallery.enroll_encoded(diarizer, "ada", hello), audio, "bytes: expected ");
}

}  // namespace

int main()
{
    const Diarizer diarizer(test::options());
    same_from_everywhere(diarizer);
    faults(diarizer);
    return 0;
}
