#include "cli/event_reader.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "agentcom/cli/hub_client.hpp"

namespace agentcom::cli {
namespace {

std::vector<Event> read_in_pieces(const std::string& text, std::size_t size) {
    EventReader reader;
    std::vector<Event> all;
    for (std::size_t at = 0; at < text.size(); at += size) {
        reader.feed(std::string_view(text).substr(at, size));
        while (auto event = reader.next()) {
            all.push_back(std::move(*event));
        }
    }
    return all;
}

TEST(EventReader, PutsEventsTogetherHoweverTheirBytesCome) {
    const std::string text =
        ": hello\n\nid: 7\nevent: truncated\ndata: {\"a\":\ndata: 1}\n\n"
        "data:x\r\n\r\nid\rdata\r\rretry: 5\n\nevent: close\n\ndata: last\n\ndata: not complete\n";
    for (const std::size_t size : {std::size_t{1}, std::size_t{2}, std::size_t{7}, text.size()}) {
        const auto events = read_in_pieces(text, size);
        ASSERT_EQ(events.size(), 4U) << size;
        EXPECT_EQ(events[0].name, "truncated");
        EXPECT_EQ(events[0].data, "{\"a\":\n1}");
        EXPECT_EQ(events[0].id, "7");
        EXPECT_EQ(events[1].name, "message");
        EXPECT_EQ(events[1].data, "x");
        EXPECT_FALSE(events[1].id);
        EXPECT_EQ(events[2].data, "");
        EXPECT_EQ(events[2].id, "");
        EXPECT_EQ(events[3].name, "message") << "an event without data leaves nothing behind";
        EXPECT_EQ(events[3].data, "last");
    }
}

TEST(EventReader, AnEventWithoutEndIsNotKeptForEver) {
    EventReader reader;
    const std::string piece(std::size_t{8} << 20, 'x');
    EXPECT_THROW(
        {
            for (int i = 0; i < 9; ++i) {
                reader.feed(piece);
            }
        },
        HubError);
}

}  // namespace
}  // namespace agentcom::cli
