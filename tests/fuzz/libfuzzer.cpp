// libFuzzer's side of the targets: AGENTCOM_FUZZ_TARGET names one. See `fuzz` in scripts/test.

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "fuzz/support/targets.hpp"

namespace {

const agentcom::fuzz::FuzzTarget* target = nullptr;

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
    const char* name = std::getenv("AGENTCOM_FUZZ_TARGET");
    const auto all = agentcom::fuzz::targets();
    const auto found =
        std::ranges::find(all, std::string_view(name != nullptr ? name : ""),
                          [](const agentcom::fuzz::FuzzTarget& each) { return each.name; });
    if (found == all.end()) {
        std::fputs("AGENTCOM_FUZZ_TARGET is none of:", stderr);
        for (const auto& each : all) std::fprintf(stderr, " %s", each.name.data());
        std::fputs("\n", stderr);
        std::exit(2);
    }
    target = &*found;
    // Damage that is found is said in the log, and damage is all there is here.
    spdlog::set_level(spdlog::level::off);
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    target->run({reinterpret_cast<const char*>(data), size});
    return 0;
}
