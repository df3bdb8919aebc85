// The owner of a C handle, which every class of the interface is. Part of voiceflow.hpp.
#ifndef VOICEFLOW_HANDLE_HPP
#define VOICEFLOW_HANDLE_HPP

#include <voiceflow/result.hpp>

#include <memory>

namespace voiceflow {
inline namespace VOICEFLOW_STYLE {
namespace detail {

/// Owns one handle: it moves and is not copied. One that was moved from holds none; its functions
/// fail with Status::null, and it can be assigned to and destroyed.
///
/// A handle must not be destroyed, assigned to or moved from while a call uses it, nor destroyed
/// inside a callback, where the library leaves it alone.
template <class T, void (*Destroy)(T *)>
class Handle {
public:
    /// The C handle for functions of voiceflow.h; still owned by this object. NULL after a move.
    [[nodiscard]] T *get() const noexcept { return owned_.get(); }

    /// Whether there is a handle: false after a move.
    explicit operator bool() const noexcept { return owned_ != nullptr; }

protected:
    explicit Handle(T *handle) noexcept : owned_(handle) {}

private:
    struct Destroyer {
        void operator()(T *handle) const noexcept { Destroy(handle); }
    };

    std::unique_ptr<T, Destroyer> owned_;
};

/// Makes a handle by a C function that stores it, in a library that fits this header.
template <class T, class Create>
Outcome create_checked(T *&handle, Create create)
{
    const Outcome abi = check_abi();
    return abi.failed() ? abi : Outcome(create(&handle));
}

}  // namespace detail
}  // namespace VOICEFLOW_STYLE
}  // namespace voiceflow

#endif
