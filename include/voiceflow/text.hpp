// Texts and paths on their way into the library. Part of voiceflow.hpp.
#ifndef VOICEFLOW_TEXT_HPP
#define VOICEFLOW_TEXT_HPP

#include <voiceflow/result.hpp>

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

namespace voiceflow {
inline namespace VOICEFLOW_STYLE {

/// A text or path given to a function, in UTF-8: from a string, a literal, a std::string_view or a
/// std::filesystem::path. Lives no longer than what it is made of, unless that is kept or copied.
class Text {
public:
    // NOLINTBEGIN(misc-explicit-constructor): a parameter takes any of them.
    /// Used where it lies. NULL is for the library to refuse.
    Text(const char *text) noexcept : text_(text) {}
    /// Used where it lies.
    Text(const std::string &text) noexcept
        : text_(text.c_str()), inner_zero_(text.find('\0') != std::string::npos)
    {
    }
    /// Kept, so that it may be a temporary one.
    Text(std::string &&text) noexcept
        : kept_(std::move(text)), text_(kept_.c_str()), inner_zero_(kept_.find('\0') != std::string::npos)
    {
    }
    /// Copied.
    Text(std::string_view text) : Text(std::string(text)) {}
    /// Copied.
    Text(const std::filesystem::path &path) : Text(plain(path.u8string())) {}
#ifdef __cpp_lib_char8_t
    /// Used where it lies: a literal such as u8"model.onnx".
    Text(const char8_t *text) noexcept : Text(reinterpret_cast<const char *>(text)) {}
    /// Copied.
    Text(const std::u8string &text) : Text(plain(text)) {}
    /// Copied.
    Text(std::u8string_view text) : Text(plain(text)) {}
#endif
    // NOLINTEND(misc-explicit-constructor)

    Text(const Text &) = delete;
    Text &operator=(const Text &) = delete;
    Text(Text &&) = delete;
    Text &operator=(Text &&) = delete;
    ~Text() = default;

    /// Calls a C function with the text, unless a zero byte would end it early.
    template <class Call>
    [[nodiscard]] detail::Outcome with(const char *name, Call call) const
    {
        if (inner_zero_) {
            return {VF_E_INVALID_ARGUMENT, std::string(name) + ": expected text without a zero byte, got \"" +
                                               text_ + "\" with one behind it"};
        }
        return call(text_);
    }

private:
    /// From C++20 on, UTF-8 has a type of its own.
    template <class Utf8>
    static std::string plain(const Utf8 &text)
    {
        return {text.begin(), text.end()};
    }

    std::string kept_;
    const char *text_;
    bool inner_zero_ = false;
};

}  // namespace VOICEFLOW_STYLE
}  // namespace voiceflow

#endif
