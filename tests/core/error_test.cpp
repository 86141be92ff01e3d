#include "agentcom/core/error.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

namespace agentcom::core {
namespace {

TEST(ErrorCatalogue, HasOneRowForEachCodeInOrder) {
    const auto rows = error_catalogue();
    ASSERT_EQ(rows.size(), static_cast<std::size_t>(ErrorCode::internal) + 1);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        EXPECT_EQ(rows[i].code, static_cast<ErrorCode>(i)) << rows[i].name;
        EXPECT_EQ(&error_info(rows[i].code), &rows[i]);
    }
}

TEST(ErrorCatalogue, GivesEveryCodeAUniqueNameAStatusAndASentence) {
    std::set<std::string_view> names;
    for (const ErrorInfo& row : error_catalogue()) {
        EXPECT_TRUE(names.insert(row.name).second) << row.name;
        EXPECT_FALSE(row.name.empty());
        EXPECT_TRUE(std::all_of(row.name.begin(), row.name.end(), [](char c) {
            return (c >= 'a' && c <= 'z') || c == '_';
        })) << row.name;
        EXPECT_GE(row.http_status, 400) << row.name;
        EXPECT_LE(row.http_status, 507) << row.name;
        EXPECT_GT(row.description.size(), 15U) << row.name;
    }
}

TEST(ErrorCatalogue, AnswersWithTheStatusesOfTheContract) {
    EXPECT_EQ(error_info(ErrorCode::unauthorized).http_status, 401);
    EXPECT_EQ(error_info(ErrorCode::admin_only).http_status, 403);
    EXPECT_EQ(error_info(ErrorCode::channel_not_found).http_status, 404);
    EXPECT_EQ(error_info(ErrorCode::channel_exists).http_status, 409);
    EXPECT_EQ(error_info(ErrorCode::reset_cooldown).http_status, 409);
    EXPECT_EQ(error_info(ErrorCode::body_too_large).http_status, 413);
    EXPECT_EQ(error_info(ErrorCode::rate_limited).http_status, 429);
    EXPECT_EQ(error_info(ErrorCode::header_too_large).http_status, 431);
    EXPECT_EQ(error_info(ErrorCode::overloaded).http_status, 503);
    EXPECT_EQ(error_info(ErrorCode::storage_full).http_status, 507);
    EXPECT_TRUE(error_info(ErrorCode::rate_limited).retry);
    EXPECT_FALSE(error_info(ErrorCode::forbidden).retry);
}

TEST(Error, PutsTheFieldIntoTheNamesTheOriginalPhrasedThatWay) {
    EXPECT_EQ(Error(ErrorCode::missing_field, "payload").wire_name(),
              "missing required field: payload");
    EXPECT_EQ(Error(ErrorCode::invalid_positive_integer, "mailbox_ttl_ms").wire_name(),
              "missing or invalid field: mailbox_ttl_ms (positive integer)");
    EXPECT_EQ(Error(ErrorCode::invalid_field, "since").wire_name(), "invalid_field");
    EXPECT_EQ(Error(ErrorCode::missing_field).wire_name(), "missing_field");
}

TEST(Error, ExplainsItselfWithItsMessageOrTheCatalogue) {
    EXPECT_EQ(Error(ErrorCode::overloaded).explanation(),
              error_info(ErrorCode::overloaded).description);
    EXPECT_EQ(Error(ErrorCode::invalid_field, "since", "since is odd").explanation(),
              "since is odd");
}

}  // namespace
}  // namespace agentcom::core
