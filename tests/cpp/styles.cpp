// One program of files in both styles: this one throws, styles_expected.cpp does not.
#include "support.hpp"

std::string expected_style(const char *path);

int main()
{
    CHECK_THROWS(voiceflow::Diarizer(voiceflow::Options().set_model_path("/nowhere.onnx")), not_found,
                 "/nowhere.onnx");
    CHECK(expected_style("/nowhere.onnx").find("/nowhere.onnx") != std::string::npos);
    CHECK(expected_style(nullptr).find("path") != std::string::npos);
}
