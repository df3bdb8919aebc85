// voiceflow::expected: a value or what went wrong, for programs without exceptions. Part of
// voiceflow.hpp.
#ifndef VOICEFLOW_EXPECTED_HPP
#define VOICEFLOW_EXPECTED_HPP

#include <voiceflow/error.hpp>

#if __has_include(<expected>)
#include <expected>
#endif

#ifdef __cpp_lib_expected

namespace voiceflow {
inline namespace VOICEFLOW_STYLE {

/// std::expected, since this program has it.
template <class T>
using expected = std::expected<T, Error>;

using unexpected = std::unexpected<Error>;

}  // namespace VOICEFLOW_STYLE
}  // namespace voiceflow

#else
#include <cassert>
#include <utility>
#include <variant>

namespace voiceflow {
inline namespace VOICEFLOW_STYLE {

/// Makes an `expected` that holds an error.
class unexpected {
public:
    /// \cond as std::unexpected has them
    explicit unexpected(Error error) noexcept : error_(std::move(error)) {}
    [[nodiscard]] const Error &error() const noexcept { return error_; }
    /// \endcond

private:
    Error error_;
};

/// A value, or the error that came in its place. The part of C++23's std::expected that cannot
/// fail: ask `has_value` before `*`, `->` or `error`, which it is a mistake of the program to use
/// for the other case.
template <class T>
class [[nodiscard]] expected {
public:
    /// \cond as std::expected has them
    using value_type = T;
    using error_type = Error;

    // NOLINTNEXTLINE(misc-explicit-constructor): as std::expected has it.
    expected(T value) : content_(std::in_place_index<0>, std::move(value)) {}
    // NOLINTNEXTLINE(misc-explicit-constructor): as std::expected has it.
    expected(const unexpected &failure) : content_(std::in_place_index<1>, failure.error()) {}

    [[nodiscard]] bool has_value() const noexcept { return content_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }

    [[nodiscard]] T &operator*() & noexcept { return value(content_); }
    [[nodiscard]] const T &operator*() const & noexcept { return value(content_); }
    [[nodiscard]] T &&operator*() && noexcept { return std::move(value(content_)); }
    [[nodiscard]] T *operator->() noexcept { return &value(content_); }
    [[nodiscard]] const T *operator->() const noexcept { return &value(content_); }

    [[nodiscard]] const Error &error() const noexcept
    {
        const Error *const error = std::get_if<1>(&content_);
        assert(error != nullptr);
        return *error;
    }
    /// \endcond

private:
    template <class Content>
    static auto &value(Content &content) noexcept
    {
        auto *const value = std::get_if<0>(&content);
        assert(value != nullptr);
        return *value;
    }

    std::variant<T, Error> content_;
};

/// The answer of what has nothing to give but success.
template <>
class [[nodiscard]] expected<void> {
public:
    /// \cond as std::expected has them
    using value_type = void;
    using error_type = Error;

    expected() noexcept = default;
    // NOLINTNEXTLINE(misc-explicit-constructor): as std::expected has it.
    expected(const unexpected &failure) : content_(std::in_place_index<1>, failure.error()) {}

    [[nodiscard]] bool has_value() const noexcept { return content_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }

    [[nodiscard]] const Error &error() const noexcept
    {
        const Error *const error = std::get_if<1>(&content_);
        assert(error != nullptr);
        return *error;
    }
    /// \endcond

private:
    std::variant<std::monostate, Error> content_;
};

}  // namespace VOICEFLOW_STYLE
}  // namespace voiceflow

#endif
#endif
