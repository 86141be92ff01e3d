#pragma once

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace agentcom::fuzz {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

/// So many rounds, or a tenth of them where every step costs many times as much.
constexpr int rounds(int normally) { return kSanitized ? normally / 10 : normally; }

/// Where the sequence of inputs begins: always the same, so that a failure can be repeated;
/// AGENTCOM_FUZZ_SEED looks elsewhere.
inline std::uint64_t seed() {
    const char* given = std::getenv("AGENTCOM_FUZZ_SEED");
    return given == nullptr ? 20'251'125 : std::strtoull(given, nullptr, 10);
}

/// The source of everything random in one test.
class Random {
public:
    explicit Random(std::uint64_t seed) : engine_(seed) {}

    std::uint64_t next() { return engine_(); }
    /// 0 to n - 1; n must not be 0.
    std::size_t below(std::size_t n) { return static_cast<std::size_t>(engine_() % n); }
    bool one_in(std::size_t n) { return below(n) == 0; }
    template <class T>
    const T& pick(const std::vector<T>& from) {
        return from[below(from.size())];
    }
    std::string bytes(std::size_t count) {
        std::string out;
        for (std::size_t i = 0; i < count; ++i) out.push_back(static_cast<char>(engine_()));
        return out;
    }

    /// A few small damages: bytes changed, inserted, removed, repeated, the end cut off, a number
    /// replaced by an extreme one.
    std::string mutate(std::string text, std::string_view symbols) {
        for (std::size_t times = 1 + below(4); times > 0; --times) mutate_once(text, symbols);
        return text;
    }

private:
    char symbol(std::string_view symbols) {
        return one_in(4) ? static_cast<char>(engine_()) : symbols[below(symbols.size())];
    }
    void mutate_once(std::string& text, std::string_view symbols) {
        const std::size_t at = below(text.size() + 1);
        switch (below(8)) {
            case 0:
                text.insert(at, 1, symbol(symbols));
                break;
            case 1:
                text.erase(at, 1 + below(8));
                break;
            case 2:
            case 3:
                if (at < text.size()) text[at] = symbol(symbols);
                break;
            case 4:
                if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
                break;
            case 5:
                text.insert(at, text.substr(below(text.size() + 1), below(24)));
                break;
            case 6:
                text.insert(at, pick(extremes_));
                break;
            default:
                text.resize(at);
                break;
        }
    }

    std::mt19937_64 engine_;
    std::vector<std::string> extremes_{"-1",
                                       "9223372036854775807",
                                       "-9223372036854775808",
                                       "18446744073709551616",
                                       "1e999",
                                       "-0",
                                       std::string(300, '['),
                                       std::string(8, '\0'),
                                       std::string(8, '\xff'),
                                       "\\ud800",
                                       "\xf0\x9f\x98\x80",
                                       "null"};
};

}  // namespace agentcom::fuzz
