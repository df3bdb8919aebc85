// One program of files in both styles and for several standards: this one throws and is C++17,
// styles_expected.cpp does not throw, styles_standard.cpp is for another standard.
#include "support.hpp"

#include <memory>
#include <string_view>
#include <typeinfo>

std::string expected_style(const char *path);
void expected_style_clears_the_log();
std::size_t other_standard(const char *path);
bool other_standard_has_span();
const std::type_info &other_standard_session();

namespace {

void standards()
{
    CHECK_THROWS(other_standard("/nowhere.onnx"), not_found, "/nowhere.onnx");
    const std::string model = test::setting("VF_TEST_MODEL");
    const voiceflow::Session session(test::options());
    const std::vector<float> audio(session.describe().window_samples);
    CHECK(other_standard(model.c_str()) == session.infer(audio, 1).shape.frames);
    // A class with other functions is another class.
    CHECK((other_standard_session() != typeid(voiceflow::Session)) == other_standard_has_span());
}

/// What one style has set, the other clears and lets go of.
void logs()
{
    auto held = std::make_shared<int>(0);
    const std::weak_ptr<int> watched = held;
    voiceflow::set_log_callback(
        [held = std::move(held)](voiceflow::LogLevel, std::string_view, std::string_view) { ++*held; },
        voiceflow::LogLevel::trace);
    CHECK(!watched.expired());
    expected_style_clears_the_log();
    CHECK(watched.expired());
}

}  // namespace

int main()
{
    CHECK_THROWS(voiceflow::Diarizer(voiceflow::Options().set_model_path("/nowhere.onnx")), not_found,
                 "/nowhere.onnx");
    CHECK(expected_style("/nowhere.onnx").find("/nowhere.onnx") != std::string::npos);
    CHECK(expected_style(nullptr).find("path") != std::string::npos);
    standards();
    logs();
}
