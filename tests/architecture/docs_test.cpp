// docs/protocol.md against the code's own lists, in both directions: a row too few, a row too many
// and a wrong status are failures.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "agentcom/core/error.hpp"
#include "agentcom/protocol/codec.hpp"
#include "agentcom/protocol/vocabulary.hpp"
#include "net/routes.hpp"
#include "support/paths.hpp"

namespace {

using namespace agentcom;

using Row = std::vector<std::string>;

std::string trim(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return std::string(text.substr(first, text.find_last_not_of(" \t") - first + 1));
}

/// The cells of "| a | b |"; nothing when the line is no row of a table.
Row cells(std::string_view line) {
    if (!line.starts_with('|') || !line.ends_with('|') || line.size() < 2) return {};
    line.remove_prefix(1);
    Row row;
    while (!line.empty()) {
        const auto bar = line.find('|');
        row.push_back(trim(line.substr(0, bar)));
        line.remove_prefix(bar + 1);
    }
    return row;
}

/// The rows of the first table below the heading "## <title>", without its head and rule.
std::vector<Row> first_table(std::istream& page, std::string_view title) {
    const std::string heading = "## " + std::string(title);
    std::string line;
    while (std::getline(page, line) && line != heading) {
    }
    std::vector<Row> rows;
    while (std::getline(page, line) && !line.starts_with("## ")) {
        Row row = cells(line);
        if (!row.empty()) {
            rows.push_back(std::move(row));
        } else if (!rows.empty()) {
            break;
        }
    }
    rows.erase(rows.begin(), rows.begin() + std::min<std::ptrdiff_t>(2, std::ssize(rows)));
    return rows;
}

std::vector<Row> table(std::string_view title, std::string_view file) {
    std::ifstream page(test::source_dir() / "docs" / file);
    EXPECT_TRUE(page.is_open());
    return first_table(page, title);
}

std::string unquoted(std::string_view cell) {
    if (cell.size() < 2 || !cell.starts_with('`') || !cell.ends_with('`')) return {};
    return std::string(cell.substr(1, cell.size() - 2));
}

/// The rows by the name in their first cell; every name once, and none that is not in backticks
/// (numbers excepted).
std::map<std::string, Row> by_name(std::string_view title, std::string_view file = "protocol.md") {
    std::map<std::string, Row> rows;
    for (Row& row : table(title, file)) {
        const bool number =
            std::ranges::all_of(row[0], [](char c) { return c >= '0' && c <= '9'; });
        const std::string name = number ? row[0] : unquoted(row[0]);
        EXPECT_FALSE(name.empty()) << title << ": " << row[0];
        EXPECT_TRUE(rows.emplace(name, std::move(row)).second) << title << ": twice " << name;
    }
    return rows;
}

/// Takes the row of this name off the page's; an empty one, and a failure, when it has none.
Row take(std::map<std::string, Row>& rows, const std::string& name, std::size_t columns) {
    const auto node = rows.extract(name);
    if (node.empty()) {
        ADD_FAILURE() << "the page has no row for " << name;
        return Row(columns);
    }
    EXPECT_EQ(node.mapped().size(), columns) << name;
    Row row = node.mapped();
    row.resize(columns);
    return row;
}

void expect_no_more(const std::map<std::string, Row>& rows) {
    for (const auto& [name, row] : rows) {
        ADD_FAILURE() << "the page has a row for " << name << ", which the code does not know";
    }
}

TEST(ProtocolPage, HasEveryFrameThatClientsSend) {
    auto rows = by_name("Client frames");
    for (const std::string_view type : protocol::client_frame_types()) {
        take(rows, std::string(type), 4);
    }
    expect_no_more(rows);
}

TEST(ProtocolPage, HasEveryFrameThatTheHubPushes) {
    auto rows = by_name("Pushed frames");
    for (const std::string_view type : protocol::pushed_frame_types()) {
        take(rows, std::string(type), 3);
    }
    expect_no_more(rows);
}

TEST(ProtocolPage, HasEveryErrorWithItsStatusAndWhetherToRetry) {
    auto rows = by_name("Errors");
    for (const core::ErrorInfo& error : core::error_catalogue()) {
        const Row row = take(rows, std::string(error.name), 4);
        EXPECT_EQ(row[1], std::to_string(error.http_status)) << error.name;
        EXPECT_EQ(row[2], error.retry ? "yes" : "no") << error.name;
        EXPECT_FALSE(row[3].empty()) << error.name;
    }
    expect_no_more(rows);
}

TEST(ProtocolPage, HasEveryRouteWithWhoMayUseIt) {
    auto rows = by_name("HTTP routes");
    for (const net::Route& route : net::route_table()) {
        const std::string name = std::string(route.verb) + ' ' + std::string(route.pattern);
        const Row row = take(rows, name, 5);
        const std::string& token = row[1];
        if (route.right() == protocol::Right::anyone) {
            EXPECT_EQ(token, "none") << name;
            EXPECT_EQ(row[2], "") << name;
            continue;
        }
        switch (route.right()) {
            case protocol::Right::reader:
                EXPECT_EQ(token, "read") << name;
                break;
            case protocol::Right::admin:
                EXPECT_EQ(token, "admin") << name;
                break;
            case protocol::Right::watcher:
                EXPECT_EQ(token, "watch") << name;
                break;
            case protocol::Right::sender:
                EXPECT_EQ(token, "send") << name;
                break;
            default:
                EXPECT_EQ(token, "agent") << name;
        }
        EXPECT_EQ(row[2], route.query_token() ? "yes" : "") << name;
    }
    expect_no_more(rows);
}

TEST(RightsPage, SaysOfEveryOperationAndCallerWhatTheTableDoes) {
    auto rows = by_name("Operations by callers", "rights.md");
    constexpr std::array kColumns{protocol::Standing::nobody, protocol::Standing::agent,
                                  protocol::Standing::observer, protocol::Standing::admin};
    for (const protocol::OperationInfo& info : protocol::operations()) {
        const Row row = take(rows, std::string(info.name), 6);
        for (std::size_t i = 0; i < kColumns.size(); ++i) {
            const auto code = protocol::refusal(info.policy.right, kColumns[i]);
            std::string expected = "yes";
            if (code == core::ErrorCode::unauthorized) {
                expected = info.policy.right == protocol::Right::reader ? "read" : "401";
            } else if (code) {
                const core::ErrorInfo& error = core::error_info(*code);
                expected = std::to_string(error.http_status) + " `" + std::string(error.name) + '`';
            }
            EXPECT_EQ(row[i + 1], expected) << info.name << ", column " << i + 1;
        }
    }
    expect_no_more(rows);
}

TEST(ProtocolPage, HasEveryCloseCodeWithItsReason) {
    auto rows = by_name("Close codes");
    // The codes a server may send (RFC 6455, 7.4): those that have a reason are the hub's.
    for (std::uint16_t code = 1000; code < 5000; ++code) {
        const std::string_view reason =
            protocol::close_reason(static_cast<protocol::CloseCode>(code));
        if (reason.empty()) continue;
        const Row row = take(rows, std::to_string(code), 4);
        EXPECT_EQ(unquoted(row[1]), reason) << code;
    }
    expect_no_more(rows);
}

}  // namespace
