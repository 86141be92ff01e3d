#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace agentcom::fuzz {

/// Something does not hold for this input that must hold for any. Google Test reports it, and
/// libFuzzer keeps the input.
class Broken : public std::logic_error {
public:
    Broken(std::string_view promise, std::string_view input)
        : std::logic_error(std::string(promise) + ": " + std::string(input)) {}
};

inline void require(bool holds, std::string_view promise, std::string_view input) {
    if (!holds) throw Broken(promise, input);
}

}  // namespace agentcom::fuzz
