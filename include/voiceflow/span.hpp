// voiceflow::span: a view of elements that somebody else owns. Part of voiceflow.hpp.
#ifndef VOICEFLOW_SPAN_HPP
#define VOICEFLOW_SPAN_HPP

#include <voiceflow/style.hpp>

#ifdef __cpp_lib_span
#include <span>

namespace voiceflow {
inline namespace VOICEFLOW_STYLE {

/// std::span, since this program has it.
template <class T>
using span = std::span<T>;

}  // namespace VOICEFLOW_STYLE
}  // namespace voiceflow

#else
#include <cstddef>
#include <iterator>
#include <type_traits>
#include <utility>

namespace voiceflow {
inline namespace VOICEFLOW_STYLE {

/// A pointer and a number of elements; copies nothing and owns nothing. The part of C++20's
/// std::span that this interface needs: made from an array, a vector or anything else with `data()`
/// and `size()`.
template <class T>
class span {
    template <class U>
    // NOLINTNEXTLINE(modernize-avoid-c-arrays): these convert where an element gains no more than const.
    static constexpr bool converts = std::is_convertible_v<U (*)[], T (*)[]>;

    template <class Range>
    using element = std::remove_pointer_t<decltype(std::data(std::declval<Range &>()))>;

public:
    /// \cond as std::span has them
    using element_type = T;
    using value_type = std::remove_cv_t<T>;
    using size_type = std::size_t;
    using iterator = T *;

    constexpr span() noexcept = default;

    constexpr span(T *data, std::size_t size) noexcept : data_(data), size_(size) {}

    template <class Range, class = std::enable_if_t<converts<element<Range>>>>
    // NOLINTNEXTLINE(bugprone-forwarding-reference-overload,misc-explicit-constructor): as std::span has it.
    constexpr span(Range &&range) noexcept : data_(std::data(range)), size_(std::size(range))
    {
    }

    [[nodiscard]] constexpr T *data() const noexcept { return data_; }
    [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
    [[nodiscard]] constexpr bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] constexpr T *begin() const noexcept { return data_; }
    [[nodiscard]] constexpr T *end() const noexcept { return data_ + size_; }

    /// \endcond

    /// The element at `index`, which must be less than `size()`.
    [[nodiscard]] constexpr T &operator[](std::size_t index) const noexcept { return data_[index]; }

    /// The `count` elements from `offset` on, which must be there.
    [[nodiscard]] constexpr span subspan(std::size_t offset, std::size_t count) const noexcept
    {
        return span(data_ + offset, count);
    }

private:
    T *data_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace VOICEFLOW_STYLE
}  // namespace voiceflow

#endif
#endif
