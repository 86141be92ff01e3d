#include "cli/url.hpp"

#include <gtest/gtest.h>

#include "agentcom/cli/hub_client.hpp"

namespace agentcom::cli {
namespace {

TEST(Url, HasItsParts) {
    const Url plain = Url::parse("http://127.0.0.1:4000");
    EXPECT_FALSE(plain.tls);
    EXPECT_EQ(plain.host, "127.0.0.1");
    EXPECT_EQ(plain.port, "4000");
    EXPECT_EQ(plain.authority, "127.0.0.1:4000");
    EXPECT_EQ(plain.path, "");

    const Url behind_a_proxy = Url::parse("https://hub.example.org/agents//");
    EXPECT_TRUE(behind_a_proxy.tls);
    EXPECT_EQ(behind_a_proxy.port, "443");
    EXPECT_EQ(behind_a_proxy.authority, "hub.example.org");
    EXPECT_EQ(behind_a_proxy.path, "/agents");

    const Url six = Url::parse("http://[::1]:80/");
    EXPECT_EQ(six.host, "::1");
    EXPECT_EQ(six.authority, "[::1]:80");
    EXPECT_EQ(six.path, "");
}

TEST(Url, WhatIsNoneIsASentence) {
    for (const char* text :
         {"", "127.0.0.1:4000", "ftp://x", "http://", "http://:80", "http://x:", "http://x:0",
          "http://x:65536", "http://x:8o", "http://[::1", "http://[::1]4000", "http://a b",
          "http://x/?a=1", "http://x\r\nX: y"}) {
        EXPECT_THROW((void)Url::parse(text), HubError) << text;
    }
}

TEST(Url, ASecretInItIsNotShown) {
    for (const char* text : {"http://me:secret@hub", "http://hub/?token=secret", "hub#secret"}) {
        try {
            (void)Url::parse(text);
            ADD_FAILURE() << text;
        } catch (const HubError& error) {
            EXPECT_EQ(error.kind(), HubError::Kind::address);
            EXPECT_EQ(std::string(error.what()).find("hub/?token=secret"), std::string::npos);
            EXPECT_EQ(std::string(error.what()).find("secret@"), std::string::npos);
            EXPECT_EQ(std::string(error.what()).find("#secret"), std::string::npos);
        }
    }
}

TEST(Url, ASegmentIsEncoded) {
    EXPECT_EQ(encode_path_segment("a-b_c.d~e"), "a-b_c.d~e");
    EXPECT_EQ(encode_path_segment("a/b?c=d&\xC3\xA9 "), "a%2Fb%3Fc%3Dd%26%C3%A9%20");
}

}  // namespace
}  // namespace agentcom::cli
