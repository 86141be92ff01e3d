#include "agentcom/delivery/output_budget.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "agentcom/delivery/outbox.hpp"

namespace agentcom::delivery {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr OutboxLimits kWide{.max_bytes = std::size_t{1} << 40, .max_frames = 1'000'000};

/// Gives back what it can when it is foreclosed.
class Client final : public Debtor {
public:
    explicit Client(OutputAccount& account) : outbox(kWide, &account, this) {}
    void foreclose() override {
        ++foreclosed;
        outbox.clear();
    }
    void owe(std::size_t bytes) {
        ASSERT_TRUE(outbox.append(std::string(bytes, 'x')));
        outbox.settle();
    }
    Outbox outbox;
    int foreclosed = 0;
};

TEST(OutputBudget, CountsWhatIsOwnedUntilItIsWritten) {
    OutputBudget budget(64 * kMiB, 1);
    Client client(budget.account(0));
    client.owe(kMiB);
    EXPECT_EQ(budget.used(), kMiB);
    std::string_view view;
    ASSERT_EQ(client.outbox.gather(&view, 1), 1U);
    client.outbox.consume(view.size());
    EXPECT_EQ(budget.used(), 0U);
    {
        Client another(budget.account(0));
        another.owe(kMiB);
        another.outbox.reserve(kMiB);
        EXPECT_EQ(budget.used(), 2 * kMiB);
        EXPECT_EQ(another.outbox.debt(), 2 * kMiB);
    }
    EXPECT_EQ(budget.used(), 0U);
}

TEST(OutputBudget, CountsASharedFrameOnceForAsLongAsItLives) {
    OutputBudget budget(64 * kMiB, 1);
    std::vector<std::unique_ptr<Client>> clients;
    auto frame = share(std::string(kMiB, 'x'), &budget);
    for (int i = 0; i < 100; ++i) {
        clients.push_back(std::make_unique<Client>(budget.account(0)));
        ASSERT_TRUE(clients.back()->outbox.append_shared(frame));
        clients.back()->outbox.settle();
    }
    EXPECT_EQ(budget.used(), kMiB);
    frame.reset();
    EXPECT_EQ(budget.used(), kMiB);
    for (const auto& client : clients) EXPECT_EQ(client->foreclosed, 0);
    clients.clear();
    EXPECT_EQ(budget.used(), 0U);
}

TEST(OutputBudget, CallsInTheLargestDebtsUntilItIsWellBelow) {
    OutputBudget budget(64 * kMiB, 1);
    std::vector<std::unique_ptr<Client>> small;
    for (int i = 0; i < 1'000; ++i) {
        small.push_back(std::make_unique<Client>(budget.account(0)));
        small.back()->owe(10'000);
    }
    std::vector<std::unique_ptr<Client>> large;
    for (std::size_t mib = 1; mib <= 16; ++mib) {
        large.push_back(std::make_unique<Client>(budget.account(0)));
        large.back()->owe(mib * kMiB);
        EXPECT_LE(budget.used(), 64 * kMiB);
    }
    int foreclosed = 0;
    for (const auto& client : large) foreclosed += client->foreclosed;
    EXPECT_GT(foreclosed, 0);
    EXPECT_LT(foreclosed, 10);
    EXPECT_EQ(large[0]->foreclosed, 0);
    for (const auto& client : small) EXPECT_EQ(client->foreclosed, 0);
}

TEST(OutputBudget, ManySmallDebtsAreCalledInWhenThereAreNoOthers) {
    OutputBudget budget(16 * kMiB, 1);
    std::vector<std::unique_ptr<Client>> clients;
    for (int i = 0; i < 10'000; ++i) {
        clients.push_back(std::make_unique<Client>(budget.account(0)));
        clients.back()->owe(5'000);
    }
    EXPECT_LE(budget.used(), 17 * kMiB);
}

TEST(OutputBudget, AsksOtherLoopsForTheirLargestDebts) {
    OutputBudget budget(64 * kMiB, 2);
    Client far(budget.account(1));
    far.owe(60 * kMiB);
    Client near(budget.account(0));
    std::vector<std::pair<std::size_t, unsigned>> asked;
    budget.set_ask([&](std::size_t loop, unsigned lowest) { asked.emplace_back(loop, lowest); });
    near.owe(5 * kMiB);
    EXPECT_EQ(near.foreclosed, 0);
    ASSERT_EQ(asked.size(), 1U);
    EXPECT_EQ(asked[0].first, 1U);
    // As that loop's thread would.
    budget.account(1).call_in(asked[0].second);
    EXPECT_EQ(far.foreclosed, 1);
    EXPECT_EQ(budget.used(), 5 * kMiB);
}

}  // namespace
}  // namespace agentcom::delivery
