// Compiled with a header of another ABI: nothing is made, and the error says both numbers.
#include "support.hpp"

int main()
{
    CHECK(vf_abi_version() != VF_ABI_VERSION);
    const std::string expected = "libvoiceflow: expected ABI " + std::to_string(VF_ABI_VERSION) +
                                 ", which voiceflow.hpp was made for, got ABI " +
                                 std::to_string(vf_abi_version());
    CHECK_THROWS(voiceflow::Options(), invalid_argument, expected);
    CHECK_THROWS(voiceflow::Cancel(), invalid_argument, expected);
    CHECK_THROWS(voiceflow::Session(), invalid_argument, expected);
    CHECK_THROWS(voiceflow::Diarizer(), invalid_argument, expected);
}
