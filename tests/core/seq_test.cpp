#include "agentcom/core/seq.hpp"

#include <gtest/gtest.h>

namespace agentcom::core {
namespace {

constexpr Epoch kEpoch{0xFEDCBA9876543210};

TEST(MessageId, CarriesTheSequenceNumberBackAndForth) {
    for (const std::uint64_t value : {std::uint64_t{1}, std::uint64_t{123456789}, kMaxSeq}) {
        const std::string text = MessageId::make(kEpoch, Seq{value}).str();
        EXPECT_EQ(text.size(), 16U);
        EXPECT_EQ(MessageId::seq_of(text, kEpoch), Seq{value});
    }
}

TEST(MessageId, ShowsTwentyBitsOfTheEpochFirst) {
    EXPECT_EQ(MessageId::make(kEpoch, Seq{0xAB}).str(), "43210000000000ab");
    EXPECT_EQ(kEpoch.str(), "fedcba9876543210");
}

TEST(MessageId, GrowsWithTheSequenceNumber) {
    EXPECT_LT(MessageId::make(kEpoch, Seq{255}).str(), MessageId::make(kEpoch, Seq{256}).str());
}

TEST(MessageId, OfAnotherStoreOrShapeIsNoPlaceInThisOne) {
    const Epoch other{kEpoch.value + 1};
    EXPECT_FALSE(MessageId::seq_of(MessageId::make(other, Seq{1}).str(), kEpoch));
    EXPECT_FALSE(MessageId::seq_of(MessageId::make(kEpoch, Seq{0}).str(), kEpoch));
    for (const char* text : {"", "no-such-id", "43210000000000AB", "43210000000000a",
                             "43210000000000abc", "0x210000000000ab"}) {
        EXPECT_FALSE(MessageId::seq_of(text, kEpoch)) << text;
    }
}

TEST(MessageId, IsAppended) {
    std::string out = "id:";
    MessageId{1}.append_to(out);
    EXPECT_EQ(out, "id:0000000000000001");
}

TEST(Seq, CountsOnwards) {
    EXPECT_EQ(Seq{}.next(), Seq{1});
    EXPECT_EQ(ChannelSeq{41}.next(), ChannelSeq{42});
}

}  // namespace
}  // namespace agentcom::core
