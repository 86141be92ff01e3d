#include "cli/agents/text_diff.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace agentcom::cli::agents {
namespace {

using DiffLines = std::vector<std::string_view>;

DiffLines diff_lines(std::string_view text) {
    DiffLines lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        lines.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

struct DiffLine {
    char mark = ' ';  // ' ', '-' or '+'
    std::string_view text;
};

/// Texts that differ in more than this are shown as gone and come.
constexpr std::size_t kMaxTable = 4'000'000;

/// The longest common subsequence of what lies between what both have in common at either end.
std::vector<DiffLine> align(const DiffLines& before, const DiffLines& after) {
    std::vector<DiffLine> out;
    const std::size_t shorter = std::min(before.size(), after.size());
    std::size_t head = 0;
    while (head < shorter && before[head] == after[head]) ++head;
    std::size_t tail = 0;
    while (tail < shorter - head &&
           before[before.size() - 1 - tail] == after[after.size() - 1 - tail]) {
        ++tail;
    }
    for (std::size_t i = 0; i < head; ++i) out.push_back({' ', before[i]});
    const std::size_t rows = before.size() - head - tail;
    const std::size_t columns = after.size() - head - tail;
    std::size_t row = 0;
    std::size_t column = 0;
    if (rows * columns <= kMaxTable) {
        const std::size_t width = columns + 1;
        std::vector<std::uint32_t> common((rows + 1) * width, 0);
        for (std::size_t r = rows; r-- > 0;) {
            for (std::size_t c = columns; c-- > 0;) {
                common[r * width + c] =
                    before[head + r] == after[head + c]
                        ? common[(r + 1) * width + c + 1] + 1
                        : std::max(common[(r + 1) * width + c], common[r * width + c + 1]);
            }
        }
        while (row < rows && column < columns) {
            if (before[head + row] == after[head + column]) {
                out.push_back({' ', before[head + row]});
                ++row;
                ++column;
            } else if (common[(row + 1) * width + column] >= common[row * width + column + 1]) {
                out.push_back({'-', before[head + row++]});
            } else {
                out.push_back({'+', after[head + column++]});
            }
        }
    }
    for (; row < rows; ++row) out.push_back({'-', before[head + row]});
    for (; column < columns; ++column) out.push_back({'+', after[head + column]});
    for (std::size_t i = 0; i < tail; ++i) {
        out.push_back({' ', before[before.size() - tail + i]});
    }
    return out;
}

}  // namespace

std::string text_diff(std::string_view before, std::string_view after) {
    static constexpr std::size_t kContext = 3;
    const auto lines = align(diff_lines(before), diff_lines(after));
    std::vector<bool> shown(lines.size(), false);
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (lines[i].mark == ' ') continue;
        const std::size_t end = std::min(lines.size(), i + kContext + 1);
        for (std::size_t j = i - std::min(i, kContext); j < end; ++j) shown[j] = true;
    }
    std::string out;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (!shown[i]) continue;
        if (i > 0 && !shown[i - 1]) out += "@@\n";
        out += lines[i].mark;
        out += lines[i].text;
        out += '\n';
    }
    return out;
}

}  // namespace agentcom::cli::agents
