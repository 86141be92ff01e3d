#include "agentcom/core/pieces.hpp"

#include <gtest/gtest.h>

#include <utility>

namespace agentcom::core {
namespace {

TEST(Pieces, KeepTheOrderOfWhateverIsAppended) {
    Pieces pieces;
    std::string expected;
    for (int i = 0; i < 50; ++i) {
        const std::string small = std::to_string(i) + ' ';
        const std::string large(Pieces::kOwnPieceBytes + static_cast<std::size_t>(i), 'L');
        pieces.append(small);
        pieces.append(std::string(large));
        pieces.append_reference(std::make_shared<const std::string>(large));
        pieces.append_reference(std::make_shared<const std::string>(small));
        pieces.open().append(std::string_view("open"));
        pieces.spill();
        expected += small + large + large + small + "open";
    }
    EXPECT_EQ(pieces.size(), expected.size());
    EXPECT_EQ(pieces.str(), expected);
    pieces.clear();
    EXPECT_TRUE(pieces.empty());
    EXPECT_EQ(pieces.str(), "");
}

TEST(Pieces, ALongTextIsManyPieces) {
    Pieces pieces;
    for (int i = 0; i < 100'000; ++i) pieces.append(std::string_view("0123456789"));
    EXPECT_EQ(pieces.size(), 1'000'000U);
    EXPECT_GE(pieces.closed().size(), 15U);
    for (const Piece& piece : pieces.closed()) {
        EXPECT_LE(piece.view().size(), Pieces::kPieceBytes + 10);
    }
}

TEST(Pieces, ALargeTextIsNotCopied) {
    const auto text = std::make_shared<const std::string>(1'000'000, 'x');
    Pieces pieces;
    pieces.append(std::string_view("before"));
    pieces.append_reference(text);
    EXPECT_EQ(text.use_count(), 2);
    EXPECT_EQ(pieces.closed().back().view().data(), text->data());
    EXPECT_FALSE(pieces.closed().back().counted_by_owner);
}

TEST(Pieces, ASharedTextIsKeptAliveByWhoeverSendsIt) {
    auto made = std::make_shared<Pieces>();
    made->append(std::string(200'000, 'a'));
    made->append(std::string_view("tail"));
    const std::weak_ptr<Pieces> alive = made;
    Pieces pieces;
    pieces.append(std::string_view("head"));
    pieces.append_shared(std::exchange(made, nullptr));
    pieces.append(std::string_view("end"));
    EXPECT_FALSE(alive.expired());
    EXPECT_EQ(pieces.str(), "head" + std::string(200'000, 'a') + "tailend");
    for (const Piece& piece : pieces.closed()) {
        EXPECT_EQ(piece.counted_by_owner, piece.shared != nullptr);
    }
    pieces.clear();
    EXPECT_TRUE(alive.expired());
}

TEST(Pieces, AnEmptiedOneKeepsLittleMemory) {
    Pieces pieces;
    pieces.open().assign(10'000'000, 'x');
    pieces.clear();
    EXPECT_LE(std::as_const(pieces).open().capacity(), Pieces::kPieceBytes);
}

}  // namespace
}  // namespace agentcom::core
