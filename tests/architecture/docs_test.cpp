// docs/protocol.md has the tables that the code makes, and docs/rights.md says of every operation
// who may ask. With AGENTCOM_WRITE_DOCS=1 the tables of protocol.md are written, not compared.
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "agentcom/core/error.hpp"
#include "agentcom/protocol/operations.hpp"
#include "architecture/docs_tables.hpp"
#include "support/paths.hpp"

namespace {

using namespace agentcom;
using docs::Lines;

std::filesystem::path page(std::string_view name) { return test::source_dir() / "docs" / name; }

Lines read(const std::filesystem::path& file) {
    std::ifstream in(file);
    EXPECT_TRUE(in.is_open()) << file;
    Lines lines;
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

/// Where the first table below the heading "## <title>" begins and ends.
std::pair<std::size_t, std::size_t> find_table(const Lines& lines, std::string_view title) {
    const std::string heading = "## " + std::string(title);
    std::size_t begin = 0;
    while (begin < lines.size() && lines[begin] != heading) ++begin;
    while (begin < lines.size() && !lines[begin].starts_with('|')) ++begin;
    std::size_t end = begin;
    while (end < lines.size() && lines[end].starts_with('|')) ++end;
    return {begin, end};
}

void compare(std::string_view title, const Lines& made) {
    const auto file = page("protocol.md");
    Lines lines = read(file);
    const auto [begin, end] = find_table(lines, title);
    ASSERT_LT(begin, lines.size()) << "protocol.md has no table below " << title;
    const Lines written(lines.begin() + static_cast<std::ptrdiff_t>(begin),
                        lines.begin() + static_cast<std::ptrdiff_t>(end));
    if (std::getenv("AGENTCOM_WRITE_DOCS") == nullptr) {
        EXPECT_EQ(written, made)
            << "the table below \"" << title
            << "\" is not what the code says; AGENTCOM_WRITE_DOCS=1 writes it:\n"
            << docs::joined(made, "\n");
        return;
    }
    std::ofstream out(file);
    for (std::size_t i = 0; i < begin; ++i) out << lines[i] << '\n';
    for (const std::string& line : made) out << line << '\n';
    for (std::size_t i = end; i < lines.size(); ++i) out << lines[i] << '\n';
}

TEST(ProtocolPage, HasTheFramesThatClientsSend) { compare("Client frames", docs::client_frames()); }
TEST(ProtocolPage, HasTheFramesThatTheHubPushes) {
    compare("Pushed frames", docs::pushed_frames());
}
TEST(ProtocolPage, HasTheRoutes) { compare("HTTP routes", docs::routes()); }
TEST(ProtocolPage, HasTheObjectsInAnswers) { compare("Objects in answers", docs::objects()); }
TEST(ProtocolPage, HasTheEventsOfStreams) { compare("Streams", docs::stream_events()); }
TEST(ProtocolPage, HasTheEventsOfObservers) { compare("Observing", docs::observer_events()); }
TEST(ProtocolPage, HasTheErrors) { compare("Errors", docs::errors()); }
TEST(ProtocolPage, HasTheCloseCodes) { compare("Close codes", docs::close_codes()); }

/// The cells of "| a | b |".
Lines cells(std::string_view line) {
    Lines row;
    line.remove_prefix(1);
    while (!line.empty()) {
        const auto bar = line.find('|');
        std::string_view cell = line.substr(0, bar);
        while (cell.starts_with(' ')) cell.remove_prefix(1);
        while (cell.ends_with(' ')) cell.remove_suffix(1);
        row.emplace_back(cell);
        line.remove_prefix(std::min(bar, line.size() - 1) + 1);
    }
    return row;
}

TEST(RightsPage, SaysOfEveryOperationAndCallerWhatTheTableDoes) {
    const Lines lines = read(page("rights.md"));
    const auto [begin, end] = find_table(lines, "Operations by callers");
    std::map<std::string, Lines> rows;
    for (std::size_t i = begin + 2; i < end; ++i) {
        const Lines row = cells(lines[i]);
        ASSERT_EQ(row.size(), 6U) << lines[i];
        EXPECT_TRUE(rows.emplace(row[0], row).second) << "twice " << row[0];
    }
    constexpr std::array kColumns{protocol::Standing::nobody, protocol::Standing::agent,
                                  protocol::Standing::observer, protocol::Standing::admin};
    for (const protocol::OperationInfo& info : protocol::operations()) {
        const auto node = rows.extract(docs::ticked(info.name));
        if (node.empty()) {
            ADD_FAILURE() << "the page has no row for " << info.name;
            continue;
        }
        for (std::size_t i = 0; i < kColumns.size(); ++i) {
            const auto code = protocol::refusal(info.policy.right, kColumns[i]);
            std::string expected = "yes";
            if (code == core::ErrorCode::unauthorized) {
                expected = info.policy.right == protocol::Right::reader ? "read" : "401";
            } else if (code) {
                const core::ErrorInfo& error = core::error_info(*code);
                expected = std::to_string(error.http_status) + ' ' + docs::ticked(error.name);
            }
            EXPECT_EQ(node.mapped()[i + 1], expected) << info.name << ", column " << i + 1;
        }
    }
    for (const auto& [name, row] : rows) {
        ADD_FAILURE() << "the page has a row for " << name << ", which the code does not know";
    }
}

}  // namespace
