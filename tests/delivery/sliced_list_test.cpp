#include "agentcom/delivery/sliced_list.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace agentcom::delivery {
namespace {

core::ChannelName channel(int number) {
    return *core::ChannelName::parse("c" + std::to_string(number));
}

struct Owner {
    int number = 0;
    std::uint32_t place = 0;
    std::vector<ListedChannel> channels;
};
struct Place {
    static void set(Owner& owner, std::uint32_t, std::uint32_t index) { owner.place = index; }
};

TEST(SlicedList, APassMeetsWhoStaysExactlyOnceWhoeverComesAndGoes) {
    std::mt19937 random(11);  // NOLINT(cert-msc51-cpp): the same course every time
    SlicedList<Owner, Place> list;
    std::map<int, std::unique_ptr<Owner>> present;
    int last = 0;
    const auto add = [&](bool due) {
        auto owner = std::make_unique<Owner>(Owner{++last, 0, {}});
        list.add(*owner, 0, due);
        present.emplace(last, std::move(owner));
        return last;
    };
    for (int i = 0; i < 50; ++i) add(false);
    for (int pass = 0; pass < 200; ++pass) {
        std::set<int> expected;
        for (const auto& [number, owner] : present) expected.insert(number);
        list.begin_pass();
        while (const Owner* met = list.next()) {
            EXPECT_EQ(expected.erase(met->number), 1U) << "met twice, or not expected";
            switch (random() % 4) {
                case 0: {
                    const auto gone = std::next(present.begin(), random() % present.size());
                    list.remove(gone->second->place);
                    expected.erase(gone->first);
                    present.erase(gone);
                    break;
                }
                case 1:
                    add(false);
                    break;
                case 2:
                    if (present.size() < 80) expected.insert(add(true));
                    break;
                default:
                    break;
            }
            if (present.empty()) add(false);
        }
        EXPECT_TRUE(expected.empty());
        for (const auto& [number, owner] : present) {
            EXPECT_TRUE(list.holds(*owner, owner->place));
        }
        while (present.size() < 30) add(false);
    }
}

TEST(ChannelIndex, AgreesWithASimpleModel) {
    std::mt19937 random(12);  // NOLINT(cert-msc51-cpp): the same course every time
    ChannelIndex<Owner> index;
    std::vector<std::unique_ptr<Owner>> owners;
    std::vector<std::set<int>> model;
    for (int i = 0; i < 20; ++i) {
        owners.push_back(std::make_unique<Owner>(Owner{i, 0, {}}));
        index.add_all(*owners.back(), {channel(1), channel(2)});
        model.push_back({1, 2});
    }
    for (int step = 0; step < 20'000; ++step) {
        const auto who = static_cast<std::size_t>(random() % 20);
        const auto which = static_cast<int>(random() % 8);
        switch (random() % 4) {
            case 0:
                index.add(*owners[who], channel(which));
                model[who].insert(which);
                break;
            case 1:
                index.remove(*owners[who], channel(which));
                model[who].erase(which);
                break;
            case 2:
                if (random() % 10 != 0) break;
                index.remove_all(*owners[who]);
                model[who].clear();
                break;
            default: {
                std::set<int> expected;
                for (std::size_t i = 0; i < 20; ++i) {
                    if (model[i].contains(which)) expected.insert(static_cast<int>(i));
                }
                EXPECT_EQ(index.begin_pass(channel(which)), !expected.empty());
                while (Owner* met = index.next()) {
                    EXPECT_EQ(expected.erase(met->number), 1U);
                    if (random() % 3 != 0) continue;
                    // The one that is met leaves, perhaps as the last.
                    index.remove(*met, channel(which));
                    model[static_cast<std::size_t>(met->number)].erase(which);
                }
                EXPECT_TRUE(expected.empty());
            }
        }
        EXPECT_EQ(owners[who]->channels.size(), model[who].size());
    }
}

}  // namespace
}  // namespace agentcom::delivery
