// What needs no model: versions, statuses, numbers of the enum classes, spans, texts, options.
#include "support.hpp"

#include <array>
#include <chrono>
#include <filesystem>
#include <limits>
#include <string_view>
#include <type_traits>

using namespace std::chrono_literals;
using voiceflow::Options;

namespace {

template <class T>
constexpr bool moves_only = std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T> &&
                            !std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T>;

static_assert(moves_only<voiceflow::Options> && moves_only<voiceflow::Session> &&
              moves_only<voiceflow::Cancel> && moves_only<voiceflow::Diarizer> &&
              moves_only<voiceflow::Diarization> && moves_only<voiceflow::Stream> &&
              moves_only<voiceflow::Gallery>);
static_assert(sizeof(voiceflow::Diarizer) == sizeof(void *), "a handle costs a pointer");
static_assert(std::is_base_of_v<std::runtime_error, voiceflow::Error>);

void versions()
{
    CHECK(std::string(voiceflow::version()) == vf_version());
    CHECK(voiceflow::version_number() == vf_version_number() && voiceflow::version_number() > 0);
    CHECK(std::string_view(voiceflow::to_string(voiceflow::Status::cancelled)) ==
          vf_status_str(VF_E_CANCELLED));
    CHECK(static_cast<vf_status>(voiceflow::Status::gallery) == VF_E_GALLERY);
    CHECK(static_cast<int>(voiceflow::EmbeddingFamily::three_d_speaker) == VF_EMBEDDING_FAMILY_3D_SPEAKER);
    CHECK(static_cast<int>(voiceflow::Stage::loading) == VF_STAGE_LOADING);
}

float first(voiceflow::span<const float> values)
{
    return values.empty() ? -1.0F : values[0];
}

void spans()
{
    std::vector<float> vector = {1.0F, 2.0F, 3.0F};
    const std::array<float, 2> array = {4.0F, 5.0F};
    const float plain[] = {6.0F};  // NOLINT(modernize-avoid-c-arrays): one of what spans are made of.
    CHECK(first(vector) == 1.0F && first(array) == 4.0F && first(plain) == 6.0F && first({}) == -1.0F);
    const voiceflow::span<float> writable(vector);
    writable[1] = 7.0F;
    CHECK(vector[1] == 7.0F && first(writable) == 1.0F && first(writable.subspan(1, 2)) == 7.0F);
    float sum = 0.0F;
    for (const float value : writable) {
        sum += value;
    }
    CHECK(sum == 11.0F && writable.size() == 3 && writable.data() == vector.data());
    static_assert(!std::is_constructible_v<voiceflow::span<float>, const std::vector<float> &>);
    static_assert(!std::is_constructible_v<voiceflow::span<const float>, const std::vector<double> &>);
}

/// Every setter takes a good value, and refuses a bad one with the library's words.
void setters()
{
    Options options;
    const std::vector<std::uint8_t> bytes = {8, 10};
    options.set_model_path("model.onnx")
        .set_model_memory(bytes)
        .set_segmentation_model(std::string("segmentation.onnx"))
        .set_segmentation_model_memory(bytes)
        .set_segmentation_receptive_field(991, 270)
        .set_embedding_model(std::filesystem::path("embedding.onnx"))
        .set_embedding_model_memory(bytes)
        .set_embedding_family(voiceflow::EmbeddingFamily::nemo)
        .set_frontend(voiceflow::Frontend::sherpa)
        .set_runtime_library(std::string_view("libonnxruntime.so and more").substr(0, 17))
        .set_provider(voiceflow::Provider::automatic, voiceflow::ProviderPolicy::preferred)
        .set_device_id(63)
        .set_device_memory_limit(1U << 30U)
        .set_cache_folder("cache")
        .set_telemetry(false)
        .set_threads(0)
        .set_slots(64)
        .set_batch(1024)
        .set_num_speakers(100)
        .set_speaker_range(2, 5)
        .set_hop(400ms)
        .set_clustering_method(voiceflow::Clustering::centroid)
        .set_clustering_threshold(0.5F)
        .set_min_cluster_size(12)
        .set_bundle("accurate")
        .set_plda("plda")
        .set_min_speech(voiceflow::Seconds(0.25))
        .set_min_silence(500ms)
        .set_latency(1s)
        .set_history(2h);

    CHECK_THROWS(options.set_model_memory({}), invalid_argument, "0 bytes");
    CHECK_THROWS(options.set_segmentation_receptive_field(10, 11), invalid_argument, "11");
    CHECK_THROWS(options.set_embedding_family(static_cast<voiceflow::EmbeddingFamily>(9)), invalid_argument,
                 "9");
    CHECK_THROWS(options.set_device_id(64), invalid_argument, "64");
    CHECK_THROWS(options.set_device_memory_limit(1), invalid_argument, "got 1");
    CHECK_THROWS(options.set_threads(257), invalid_argument, "257");
    CHECK_THROWS(options.set_slots(0), invalid_argument, "slots");
    CHECK_THROWS(options.set_batch(1025), invalid_argument, "1025");
    CHECK_THROWS(options.set_num_speakers(0), invalid_argument, "1 to 100");
    CHECK_THROWS(options.set_speaker_range(6, 5), invalid_argument, "6");
    CHECK_THROWS(options.set_hop(61s), invalid_argument, "61");
    CHECK_THROWS(options.set_clustering_threshold(2.5F), invalid_argument, "2.5");
    CHECK_THROWS(options.set_min_cluster_size(0), invalid_argument, "1 to ");
    CHECK_THROWS(options.set_min_speech(-1s), invalid_argument, "-1");
    CHECK_THROWS(options.set_min_silence(2min), invalid_argument, "120");
    CHECK_THROWS(options.set_latency(100ms), invalid_argument, "0.1");
    CHECK_THROWS(options.set_history(25h), invalid_argument, "90000");
}

/// Options without a name are handed on by value, those with one by reference.
void chains()
{
    auto options = Options().set_threads(2).set_model_path("/nowhere/chain.onnx").set_num_speakers(3);
    static_assert(std::is_same_v<decltype(options), Options>);
    static_assert(std::is_same_v<decltype(Options().set_threads(2)), Options>);
    static_assert(std::is_same_v<decltype(options.set_threads(2)), Options &>);
    CHECK(&options.set_threads(1).set_batch(2) == &options);
    CHECK_THROWS(voiceflow::Diarizer(options), not_found, "/nowhere/chain.onnx");
    CHECK_THROWS(Options().set_threads(2).set_threads(257), invalid_argument, "257");
}

void deadlines()
{
    const auto load = [](voiceflow::Seconds deadline) {
        voiceflow::Call call;
        call.deadline = deadline;
        return voiceflow::Diarizer(Options().set_model_path("/nowhere.onnx"), call);
    };
    CHECK_THROWS(load(0s), deadline, "deadline of 0 ms");
    for (const voiceflow::Seconds long_time :
         {voiceflow::Seconds(600), voiceflow::Seconds(std::chrono::hours::max()),
          voiceflow::Seconds(std::numeric_limits<double>::infinity())}) {
        CHECK_THROWS(load(long_time), not_found, "/nowhere.onnx");
    }
    CHECK_THROWS(load(-5ms), invalid_argument, "deadline: expected 0 s or more, got -0.005 s");
    CHECK_THROWS(load(-std::chrono::nanoseconds(1)), invalid_argument, "-1e-09 s");
    CHECK_THROWS(load(voiceflow::Seconds(std::numeric_limits<double>::quiet_NaN())), invalid_argument, "nan");
}

void texts()
{
    Options options;
    const std::string folder = "/nowhere/";
    const voiceflow::Text path(folder + "text.onnx");
    CHECK_THROWS(voiceflow::Diarizer(Options().set_model_path(path)), not_found, "/nowhere/text.onnx");
    CHECK_THROWS(voiceflow::Diarizer(Options().set_model_path(folder + "temporary.onnx")), not_found,
                 "/nowhere/temporary.onnx");
    const std::string accented = "/nowhere/mod\xc3\xa8le.onnx";
    const auto *const literal = u8"/nowhere/mod\u00e8le.onnx";  // char8_t from C++20 on
    const std::basic_string text(literal);
    CHECK_THROWS(voiceflow::Diarizer(Options().set_model_path(literal)), not_found, accented);
    CHECK_THROWS(voiceflow::Diarizer(Options().set_model_path(text)), not_found, accented);
    CHECK_THROWS(voiceflow::Diarizer(Options().set_model_path(std::basic_string_view(literal))), not_found,
                 accented);
    const char *const none = nullptr;
    CHECK_THROWS(options.set_model_path(none), null, "path");
    CHECK_THROWS(options.set_model_path(std::string("model\0.onnx", 11)), invalid_argument,
                 "path: expected text without a zero byte, got \"model\"");
    CHECK_THROWS(options.set_bundle(std::string_view("a\0b", 3)), invalid_argument, "bundle: ");
    CHECK_THROWS(options.set_plda(std::string_view("plda\0", 5)), invalid_argument, "folder: ");
    CHECK_THROWS(options.set_cache_folder(std::string_view("a\0b", 3)), invalid_argument, "folder: ");
    // Bytes of the system, UTF-8 or not.
    CHECK_THROWS(voiceflow::Diarizer(Options().set_model_path("\xff")), not_found, "no such file");
    CHECK_THROWS(options.set_model_path(std::string(70000, 'a')), limit, "65");
    // As after any failure, the next call works.
    options.set_model_path(std::filesystem::path("modèle.onnx"));
}

void failures()
{
    CHECK_THROWS(voiceflow::Diarizer(Options().set_model_path("/nowhere/model.onnx")), not_found,
                 "/nowhere/model.onnx");
    try {
        const voiceflow::Session session(Options().set_model_path(test::setting("VF_TEST_BROKEN_MODEL")));
        CHECK(false);
    } catch (const std::runtime_error &error) {
        CHECK(std::string(error.what()).find("wrong_contract.onnx") != std::string::npos);
    }
}

}  // namespace

int main()
{
    versions();
    spans();
    setters();
    chains();
    deadlines();
    texts();
    failures();
}
