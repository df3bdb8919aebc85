// Streams as sources of encoded audio. Part of voiceflow.hpp.
#ifndef VOICEFLOW_SOURCE_HPP
#define VOICEFLOW_SOURCE_HPP

#include <voiceflow/call.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <ios>
#include <istream>
#include <streambuf>

namespace voiceflow {
inline namespace VOICEFLOW_STYLE {
namespace detail {

/// The buffer of a `std::istream` as C has it, for the time of one call: what is behind its
/// position. One that cannot seek is read to its end. The state of the stream is not touched.
class StreamSource {
public:
    explicit StreamSource(const std::istream &stream) : buffer_(stream.rdbuf())
    {
        source_.size = sizeof source_;
        source_.read = read;
        source_.user_data = this;
        if (buffer_ == nullptr) {
            return;
        }
        begin_ = buffer_->pubseekoff(0, std::ios::cur, std::ios::in);
        const std::streamoff end =
            begin_ < 0 ? -1
                       : static_cast<std::streamoff>(buffer_->pubseekoff(0, std::ios::end, std::ios::in));
        if (end >= begin_ && begin_ >= 0 && buffer_->pubseekpos(begin_, std::ios::in) == begin_) {
            source_.seek = seek;
            source_.length = static_cast<std::uint64_t>(end - begin_);
        }
    }
    StreamSource(const StreamSource &) = delete;
    StreamSource &operator=(const StreamSource &) = delete;
    StreamSource(StreamSource &&) = delete;
    StreamSource &operator=(StreamSource &&) = delete;
    ~StreamSource() = default;

    [[nodiscard]] const vf_source *get() const noexcept { return &source_; }

    /// To be called after the call, once its results are owned: throws what the stream has thrown.
    void rethrow() const
    {
#ifndef VOICEFLOW_NO_EXCEPTIONS
        if (thrown_) {
            std::rethrow_exception(thrown_);
        }
#endif
    }

private:
    /// Does `work` on the stream; -1 where it throws, as no exception may pass through C.
    template <class Work>
    std::int64_t guarded(Work work) noexcept
    {
#ifndef VOICEFLOW_NO_EXCEPTIONS
        try {
            return work();
        } catch (...) {
            thrown_ = std::current_exception();
            return -1;
        }
#else
        return work();
#endif
    }

    static std::int64_t read(void *user_data, std::uint8_t *out, std::size_t cap) noexcept
    {
        auto &self = *static_cast<StreamSource *>(user_data);
        return self.guarded([&]() -> std::int64_t {
            if (self.buffer_ == nullptr) {
                return -1;
            }
            return self.buffer_->sgetn(reinterpret_cast<char *>(out), static_cast<std::streamsize>(cap));
        });
    }

    static std::int32_t seek(void *user_data, std::uint64_t position) noexcept
    {
        auto &self = *static_cast<StreamSource *>(user_data);
        return static_cast<std::int32_t>(self.guarded([&]() -> std::int64_t {
            const std::streamoff wanted = self.begin_ + static_cast<std::streamoff>(position);
            return self.buffer_->pubseekpos(wanted, std::ios::in) == wanted ? 0 : -1;
        }));
    }

    std::streambuf *buffer_;
    std::streamoff begin_ = -1;
    vf_source source_{};
#ifndef VOICEFLOW_NO_EXCEPTIONS
    std::exception_ptr thrown_;
#endif
};

}  // namespace detail
}  // namespace VOICEFLOW_STYLE
}  // namespace voiceflow

#endif
