#include "net/address.hpp"

#include <gtest/gtest.h>

#include <string>

namespace agentcom::net {
namespace {

Address address(const char* text) { return boost::asio::ip::make_address(text); }
AddressKey key(const char* text) { return address_key(address(text)); }

TEST(Address, AnIPv6NetworkOfSixtyFourBitsCountsAsOne) {
    EXPECT_EQ(key("2001:db8:1:2::1"), key("2001:db8:1:2:ffff:ffff:ffff:ffff"));
    EXPECT_NE(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
    EXPECT_NE(key("192.0.2.1"), key("192.0.2.2"));
}

TEST(Address, AnIPv4AddressIsTheSameHoweverItIsWritten) {
    EXPECT_EQ(key("192.0.2.1"), key("::ffff:192.0.2.1"));
}

TEST(Address, KnowsLoopback) {
    for (const char* text : {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"}) {
        EXPECT_TRUE(key(text).is_loopback()) << text;
    }
    for (const char* text : {"128.0.0.1", "10.0.0.1", "fe80::1", "2001:db8::1", "0:0:0:1::1"}) {
        EXPECT_FALSE(key(text).is_loopback()) << text;
    }
}

TEST(AddressRange, ReadsAddressesAndCidr) {
    for (const char* text : {"10.0.0.0/8", "10.1.2.3", "::1", "2001:db8::/32", "0.0.0.0/0", "::/0",
                             "192.0.2.1/32", "2001:db8::1/128"}) {
        EXPECT_TRUE(AddressRange::parse(text).has_value()) << text;
    }
    for (const char* text : {"", "10.0.0.0/33", "::/129", "10.0.0/8", "10.0.0.0/", "10.0.0.0/x",
                             "10.0.0.0/8 ", "/8", "localhost", "10.0.0.0/-1"}) {
        EXPECT_FALSE(AddressRange::parse(text).has_value()) << text;
    }
}

TEST(AddressRange, ContainsWhatSharesItsPrefix) {
    const auto contains = [](const char* range, const char* what) {
        return AddressRange::parse(range)->contains(address(what));
    };
    EXPECT_TRUE(contains("10.0.0.0/8", "10.255.0.1"));
    EXPECT_FALSE(contains("10.0.0.0/8", "11.0.0.1"));
    EXPECT_TRUE(contains("10.1.2.3", "10.1.2.3"));
    EXPECT_FALSE(contains("10.1.2.3", "10.1.2.4"));
    EXPECT_TRUE(contains("192.0.2.128/25", "192.0.2.200"));
    EXPECT_FALSE(contains("192.0.2.128/25", "192.0.2.100"));
    EXPECT_TRUE(contains("0.0.0.0/0", "8.8.8.8"));
    EXPECT_FALSE(contains("0.0.0.0/0", "2001:db8::1"));
    EXPECT_TRUE(contains("2001:db8::/33", "2001:db8:7fff::1"));
    EXPECT_FALSE(contains("2001:db8::/33", "2001:db8:8000::1"));
    EXPECT_TRUE(contains("127.0.0.0/8", "::ffff:127.0.0.1"));
}

TEST(TrustedProxies, TheRightmostAddressThatIsNoProxyAsks) {
    const TrustedProxies proxies(
        {*AddressRange::parse("10.0.0.0/8"), *AddressRange::parse("2001:db8::/32")});
    const auto client = [&](const char* peer, std::string_view forwarded) {
        return proxies.client(address(peer), forwarded).to_string();
    };
    EXPECT_EQ(client("10.0.0.1", "192.0.2.7"), "192.0.2.7");
    EXPECT_EQ(client("10.0.0.1", "192.0.2.6, 192.0.2.7 , 10.0.0.2"), "192.0.2.7");
    EXPECT_EQ(client("10.0.0.1", "192.0.2.7:4711"), "192.0.2.7");
    EXPECT_EQ(client("2001:db8::1", "[2001:db9::5]:4711, 10.0.0.9"), "2001:db9::5");
    EXPECT_EQ(client("10.0.0.1", "2001:db9::5"), "2001:db9::5");
}

TEST(TrustedProxies, NobodyElseIsBelieved) {
    const TrustedProxies proxies({*AddressRange::parse("10.0.0.0/8")});
    EXPECT_EQ(proxies.client(address("192.0.2.1"), "192.0.2.7").to_string(), "192.0.2.1");
    EXPECT_EQ(TrustedProxies().client(address("10.0.0.1"), "192.0.2.7").to_string(), "10.0.0.1");
    // What a client writes itself stands to the left of what the proxy adds.
    EXPECT_EQ(proxies.client(address("10.0.0.1"), "1.1.1.1, 192.0.2.7").to_string(), "192.0.2.7");
}

TEST(TrustedProxies, WithoutAReadableAddressTheProxyStandsForItsClient) {
    const TrustedProxies proxies({*AddressRange::parse("10.0.0.0/8")});
    for (const char* forwarded : {"", "unknown", "192.0.2.7, unknown", ",", "[::1"}) {
        EXPECT_EQ(proxies.client(address("10.0.0.1"), forwarded).to_string(), "10.0.0.1")
            << forwarded;
    }
    EXPECT_EQ(proxies.client(address("10.0.0.1"), "10.0.0.3, 10.0.0.2").to_string(), "10.0.0.3");
}

TEST(TrustedProxies, OnlyWhoIsNamedIsTakenForTheClientItself) {
    const TrustedProxies proxies({*AddressRange::parse("127.0.0.1")});
    const auto named = [&](std::string_view forwarded) {
        return proxies.names_client(address("127.0.0.1"), forwarded);
    };
    EXPECT_TRUE(named("127.0.0.1"));
    EXPECT_TRUE(named("203.0.113.9"));
    EXPECT_TRUE(named("garbage, 203.0.113.9")) << "what the client wrote counts for nothing";
    for (const char* forwarded : {"", "unknown", "203.0.113.9, unknown", "203.0.113.9,", ",",
                                  "\"203.0.113.9\"", "127.1", "garbage, 127.0.0.1"}) {
        EXPECT_FALSE(named(forwarded)) << forwarded;
    }
}

}  // namespace
}  // namespace agentcom::net
