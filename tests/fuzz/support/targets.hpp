#pragma once

#include <span>
#include <string_view>

namespace agentcom::fuzz {

/// One thing that reads bytes from outside. The same bodies run under libFuzzer (libfuzzer.cpp) and
/// in every build's tests over the files in tests/fuzz/corpus/<name>.
struct FuzzTarget {
    std::string_view name;
    /// Takes any bytes; throws Broken.
    void (*run)(std::string_view bytes);
};

[[nodiscard]] std::span<const FuzzTarget> targets();

}  // namespace agentcom::fuzz
