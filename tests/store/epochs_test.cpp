#include "store/epochs.hpp"

#include <gtest/gtest.h>

#include <set>

#include "store/bytes.hpp"
#include "store/rows.hpp"

namespace agentcom::store {
namespace {

using core::Epoch;
using core::MessageId;
using core::Seq;

Epochs reread(const Epochs& epochs) {
    const std::string earlier = epochs.encode_earlier();
    return Epochs::parse(encode_number(epochs.newest().value),
                         earlier.empty() ? std::nullopt : std::optional<std::string_view>(earlier));
}

TEST(Epochs, AStoreThatWasNeverRestoredHasOne) {
    const Epochs epochs(Epoch{0xABCDE});
    EXPECT_EQ(epochs.id_of(Seq{7}), MessageId::make(Epoch{0xABCDE}, Seq{7}));
    EXPECT_EQ(epochs.seq_of(epochs.id_of(Seq{7}).str()), Seq{7});
    EXPECT_EQ(epochs.encode_earlier(), "");
    EXPECT_EQ(reread(epochs).id_of(Seq{9}), epochs.id_of(Seq{9}));
}

TEST(Epochs, WhatTheCopyHeldKeepsItsIdsAndTheRestGetsOthers) {
    const Epochs original(Epoch{0xABCDE});
    Epochs restored = original;
    restored.begin_another(Seq{5});
    EXPECT_NE(restored.newest(), original.newest());
    restored = reread(restored);
    for (std::uint64_t seq = 1; seq <= 5; ++seq) {
        EXPECT_EQ(restored.id_of(Seq{seq}), original.id_of(Seq{seq}));
        EXPECT_EQ(restored.seq_of(original.id_of(Seq{seq}).str()), Seq{seq});
    }
    for (std::uint64_t seq = 6; seq <= 9; ++seq) {
        EXPECT_NE(restored.id_of(Seq{seq}), original.id_of(Seq{seq}));
        EXPECT_EQ(restored.seq_of(restored.id_of(Seq{seq}).str()), Seq{seq});
        // The original's message of this number is another one.
        EXPECT_FALSE(restored.seq_of(original.id_of(Seq{seq}).str()));
    }
    // Nor has a number of the copy an id of the new epoch.
    EXPECT_FALSE(restored.seq_of(MessageId::make(restored.newest(), Seq{5}).str()));
}

TEST(Epochs, OneThatWasNotUsedIsNotRemembered) {
    Epochs epochs(Epoch{1});
    epochs.begin_another(Seq{5});
    const std::string once = epochs.encode_earlier();
    const Epoch unused = epochs.newest();
    epochs.begin_another(Seq{5});
    EXPECT_NE(epochs.newest(), unused);
    EXPECT_EQ(epochs.encode_earlier(), once);

    Epochs empty(Epoch{1});
    empty.begin_another(Seq{0});
    EXPECT_EQ(empty.encode_earlier(), "");
    EXPECT_NE(empty.newest(), Epoch{1});
}

TEST(Epochs, ThereIsABoundAndAllHaveDifferentIds) {
    Epochs epochs(Epoch{1});
    std::set<std::uint64_t> ids;
    for (std::uint64_t seq = 1; seq <= 2 * Epochs::kMaxEarlier; ++seq) {
        EXPECT_TRUE(ids.insert(epochs.id_of(Seq{seq}).value >> 44).second || seq > 64);
        epochs.begin_another(Seq{seq});
    }
    EXPECT_LE(epochs.encode_earlier().size(), 1 + 16 * Epochs::kMaxEarlier);
    const auto last = Seq{2 * Epochs::kMaxEarlier};
    EXPECT_EQ(epochs.seq_of(epochs.id_of(last).str()), last);
}

TEST(Epochs, DamagedBytesAreRefused) {
    EXPECT_THROW((void)Epochs::parse("", std::nullopt), DamagedStore);
    EXPECT_THROW((void)Epochs::parse(encode_number(1), "\x02"), DamagedStore);
    EXPECT_THROW((void)Epochs::parse(encode_number(1), std::string_view("\x01"
                                                                        "123456789",
                                                                        10)),
                 DamagedStore);
}

}  // namespace
}  // namespace agentcom::store
