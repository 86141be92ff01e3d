#pragma once

#include <string>
#include <vector>

#include "fuzz/fuzz.hpp"

namespace agentcom::fuzz {

inline constexpr std::string_view kJsonSymbols =
    "{}[]\",:\\u0123456789abdDeE+-.ntf \n\t\x80\xC3\xED\xA0\xF0\xF4\xFF\x1F\x7F/";

/// Writes JSON text with odd spacing, escapes and numbers.
class JsonGenerator {
public:
    explicit JsonGenerator(Random& random) : random_(random) {}

    std::string value(int depth) {
        switch (random_.below(depth > 0 ? 9 : 6)) {
            case 0:
                return random_.pick(literals_);
            case 1:
            case 2:
                return number();
            case 6:
                return container('[', ']', [&] { return value(depth - 1); });
            case 7:
            case 8:
                return container('{', '}', [&] {
                    return string() + space() + ":" + space() + value(depth - 1);
                });
            default:
                return string();
        }
    }
    std::string space() { return random_.one_in(4) ? random_.pick(spaces_) : ""; }
    std::string string() {
        std::string text = "\"";
        for (std::size_t i = random_.below(8); i > 0; --i) text += random_.pick(pieces_);
        return text + '"';
    }
    std::string number() {
        std::string text = random_.one_in(3) ? "-" : "";
        text += random_.one_in(3) ? "0" : std::to_string(random_.next() >> random_.below(64));
        if (random_.one_in(3)) text += "." + std::to_string(random_.below(1'000));
        if (random_.one_in(4)) {
            text += random_.pick(exponents_) + std::to_string(random_.below(40));
        }
        return text;
    }

private:
    template <class Item>
    std::string container(char open, char close, Item item) {
        std::string text(1, open);
        for (std::size_t i = 0, count = random_.below(5); i < count; ++i) {
            text += (i > 0 ? "," : "") + space() + item() + space();
        }
        return text + space() + close;
    }

    Random& random_;
    const std::vector<std::string> literals_{"null", "true", "false"};
    const std::vector<std::string> spaces_{" ", "\n", "\t ", "\r", "        "};
    const std::vector<std::string> exponents_{"e", "E", "e+", "E-"};
    const std::vector<std::string> pieces_{"a",
                                           "type",
                                           "channel ",
                                           "0",
                                           "\xC3\xA9",
                                           "\xF0\x9F\x98\x80",
                                           "\\n",
                                           "\\u00e9",
                                           "\\ud83d\\ude00",
                                           "\\\"",
                                           "\\\\",
                                           "[",
                                           "}",
                                           "12345678",
                                           "\\u0000",
                                           "\\/",
                                           "\x7f",
                                           "\xEF\xBF\xBF",
                                           "a longer run of plain text"};
};

}  // namespace agentcom::fuzz
