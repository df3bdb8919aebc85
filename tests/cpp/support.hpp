// What the C++ tests share.
#ifndef SUPPORT_HPP
#define SUPPORT_HPP

#include <voiceflow.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#define CHECK(...)                                                                                           \
    do {                                                                                                     \
        if (!(__VA_ARGS__)) {                                                                                \
            std::fprintf(stderr, "%s:%d: expected %s\n", __FILE__, __LINE__, #__VA_ARGS__);                  \
            std::exit(1);                                                                                    \
        }                                                                                                    \
    } while (0)

/// The error's status, and a part of its text.
#define CHECK_ERROR(error, expected, part)                                                                   \
    do {                                                                                                     \
        const std::string text_ = (error).what();                                                            \
        if ((error).status() != voiceflow::Status::expected || text_.find(part) == std::string::npos) {      \
            std::fprintf(stderr, "%s:%d: expected %s and \"%s\", got %s: %s\n", __FILE__, __LINE__,          \
                         #expected, std::string(part).c_str(), voiceflow::to_string((error).status()),       \
                         text_.c_str());                                                                     \
            std::exit(1);                                                                                    \
        }                                                                                                    \
    } while (0)

#ifndef VOICEFLOW_NO_EXCEPTIONS
/// The expression throws such an error. What it returns if it does not is of no interest.
#define CHECK_THROWS(expression, expected, part)                                                             \
    do {                                                                                                     \
        bool thrown_ = false;                                                                                \
        try {                                                                                                \
            static_cast<void>(expression);                                                                   \
        } catch (const voiceflow::Error &error_) {                                                           \
            thrown_ = true;                                                                                  \
            CHECK_ERROR(error_, expected, part);                                                             \
        }                                                                                                    \
        if (!thrown_) {                                                                                      \
            std::fprintf(stderr, "%s:%d: expected %s to throw %s\n", __FILE__, __LINE__, #expression,        \
                         #expected);                                                                         \
            std::exit(1);                                                                                    \
        }                                                                                                    \
    } while (0)
#endif

namespace test {

constexpr std::uint32_t rate = 16000;

/// For loops that another thread is to end: whether it may still come to that. Counted from the
/// first call.
inline bool in_time()
{
    static const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(10);
    return std::chrono::steady_clock::now() < end;
}

/// A value that the test program gives in the environment.
inline std::string setting(const char *name)
{
    const char *const value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody sets any.
    if (value == nullptr) {
        std::fprintf(stderr, "%s is not set: run this through cargo test --test c_api cpp_face\n", name);
        std::exit(1);
    }
    return value;
}

#ifndef VOICEFLOW_NO_EXCEPTIONS

/// Options with the model of the tests, run on the processor by one thread.
inline voiceflow::Options options()
{
    voiceflow::Options options;
    options.set_model_path(setting("VF_TEST_MODEL"))
        .set_provider(voiceflow::Provider::cpu, voiceflow::ProviderPolicy::required)
        .set_threads(1);
    return options;
}

#endif

/// A call with this switch.
inline voiceflow::Call with(const voiceflow::Cancel &cancel)
{
    voiceflow::Call call;
    call.cancel = &cancel;
    return call;
}

/// A call that reports to this callable.
template <class Progress>
voiceflow::Call reporting(Progress progress)
{
    voiceflow::Call call;
    call.progress = std::move(progress);
    return call;
}

/// A call that asks for what only results of recordings can have.
inline voiceflow::Call exclusive()
{
    voiceflow::Call call;
    call.exclusive = true;
    return call;
}

/// The same noise for the same seed, bursts of it between pauses.
inline std::vector<float> audio(std::size_t samples, std::uint32_t seed)
{
    std::vector<float> values(samples);
    std::uint32_t state = seed * 2654435761U + 1U;
    for (std::size_t i = 0; i < samples; ++i) {
        state = state * 1664525U + 1013904223U;
        const float noise = static_cast<float>(state >> 8U) / 16777216.0F - 0.5F;
        const float loudness =
            (i / 12000) % 3 == 2 ? 0.0F : 0.2F + 0.3F * static_cast<float>((i / 36000) % 2);
        values[i] = loudness * noise;
    }
    return values;
}

/// The same samples as 16-bit integers.
inline std::vector<std::int16_t> as_i16(const std::vector<float> &values)
{
    std::vector<std::int16_t> samples;
    samples.reserve(values.size());
    for (const float value : values) {
        samples.push_back(static_cast<std::int16_t>(value * 32768.0F));
    }
    return samples;
}

inline bool same(const voiceflow::Segment &a, const voiceflow::Segment &b)
{
    return a.start_s == b.start_s && a.end_s == b.end_s && a.speaker == b.speaker && a.flags == b.flags;
}

inline bool same(const std::vector<voiceflow::Segment> &a, const std::vector<voiceflow::Segment> &b)
{
    bool equal = a.size() == b.size();
    for (std::size_t i = 0; equal && i < a.size(); ++i) {
        equal = same(a[i], b[i]);
    }
    return equal;
}

}  // namespace test

#endif
