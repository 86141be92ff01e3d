#include "store/checksum.hpp"

#include <gtest/gtest.h>

#include <string>

#include "store/bytes.hpp"
#include "store/keys.hpp"
#include "store/rows.hpp"

namespace agentcom::store {
namespace {

std::string sealed(std::string_view value, std::string_view key = "key") {
    std::string out;
    seal(out, table_seed("agents"), key, value);
    return out;
}

TEST(Checksum, ASealedValueComesBackAndSaysThatItWasSealed) {
    const std::string stored = sealed(std::string("\x02rest of it", 11));
    const std::string_view value = unseal(table_seed("agents"), "key", stored);
    EXPECT_TRUE(is_sealed(value));
    EXPECT_EQ(value.substr(1), "rest of it");
    EXPECT_EQ(unseal(table_seed("agents"), "key", sealed("")).size(), 1U);
}

TEST(Checksum, EveryChangeOfOneByteIsNoticed) {
    const std::string stored = sealed(encode_number(7));
    for (std::size_t at = 0; at < stored.size(); ++at) {
        for (int change = 1; change < 256; ++change) {
            std::string damaged = stored;
            damaged[at] = static_cast<char>(damaged[at] ^ change);
            // Another first byte of an unsealed value is what an older program would have written;
            // the checksum behind it says otherwise.
            EXPECT_THROW((void)unseal(table_seed("agents"), "key", damaged), DamagedStore)
                << at << " " << change;
        }
    }
}

TEST(Checksum, AValueUnderAnotherKeyOrInAnotherTableIsNoticed) {
    const std::string stored = sealed(encode_number(7));
    EXPECT_THROW((void)unseal(table_seed("agents"), "kez", stored), DamagedStore);
    EXPECT_THROW((void)unseal(table_seed("usage"), "key", stored), DamagedStore);
    EXPECT_THROW((void)unseal(table_seed("agents"), "key", stored.substr(0, 8)), DamagedStore);
}

TEST(Checksum, ValuesOfOlderProgramsAreTakenAsTheyAre) {
    for (const std::string& old : {std::string(), encode_number(9), std::string("\x01", 1)}) {
        EXPECT_EQ(unseal(table_seed("agents"), "key", old), old);
    }
    EXPECT_EQ(parse_number(encode_number(9)), 9U);
}

}  // namespace
}  // namespace agentcom::store
