#include "net/http_request.hpp"

#include <gtest/gtest.h>

namespace agentcom::net {
namespace {

TEST(HttpRequest, ReadsABearerTokenInAnySpellingOfTheScheme) {
    for (const char* header :
         {"Bearer abc", "bearer abc", "BEARER  abc", " Bearer abc ", "Bearer\tabc"}) {
        EXPECT_EQ(bearer_token(header), "abc") << header;
    }
}

TEST(HttpRequest, ABearerHeaderWithoutTokenIsStillABearerHeader) {
    EXPECT_EQ(bearer_token("Bearer"), "");
    EXPECT_EQ(bearer_token("Bearer  "), "");
}

TEST(HttpRequest, HeadersOfAnotherKindNameNoToken) {
    for (const char* header : {"", "abc", "Token abc", "Basic abc", "Bearerabc", "Bear er"}) {
        EXPECT_FALSE(bearer_token(header).has_value()) << header;
    }
}

TEST(HttpRequest, OnlyJsonTypesMayCarryABody) {
    for (const char* type :
         {"application/json", "Application/JSON; charset=utf-8", " application/json ;x=y"}) {
        EXPECT_TRUE(is_json_type(type)) << type;
    }
    for (const char* type : {"", "text/plain", "application/x-www-form-urlencoded",
                             "application/jsonp", "multipart/form-data; boundary=x"}) {
        EXPECT_FALSE(is_json_type(type)) << type;
    }
}

}  // namespace
}  // namespace agentcom::net
