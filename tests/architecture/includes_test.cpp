// Who may include whom. The link lines in cmake/rooms.cmake say the same, but headers escape the
// linker, so this reads every #include of include/ and src/.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "support/paths.hpp"

namespace {

namespace fs = std::filesystem;

/// The rooms each room may include besides itself.
const std::map<std::string, std::set<std::string>, std::less<>> kArrows = {
    {"core", {}},
    {"store", {"core"}},
    {"protocol", {"core"}},
    {"services", {"store", "core"}},
    {"delivery", {"store", "protocol", "core"}},
    {"router", {"services", "delivery", "protocol", "store", "core"}},
    {"mcp", {"protocol", "core"}},
    {"hooks", {"core"}},
    {"webhooks", {"hooks", "protocol", "core"}},
    {"describe", {"protocol", "core"}},
    {"net", {"mcp", "webhooks", "describe", "router", "delivery", "protocol", "core"}},
    {"cli", {"hooks", "protocol", "core"}},
    {"app",
     {"cli", "net", "mcp", "webhooks", "describe", "hooks", "router", "services", "delivery",
      "protocol", "store", "core"}},
};

/// Libraries that only some rooms may see, or none.
const std::map<std::string, std::set<std::string>, std::less<>> kLibraries = {
    {"nlohmann/", {"cli", "app", "describe"}},
    {"boost/json", {}},
    {"boost/beast", {}},
    {"boost/asio", {"delivery", "router", "net", "cli", "app"}},
    {"lmdb.h", {"store"}},
    {"toml++/", {"cli", "app"}},
    {"CLI/", {"cli", "app"}},
    {"prometheus/", {"protocol"}},
};
/// Libraries that stay behind the doors: never in a header under include/.
const std::set<std::string, std::less<>> kNeverInDoors = {"nlohmann/", "lmdb.h", "toml++/", "CLI/",
                                                          "prometheus/"};

struct Include {
    std::string target;
    bool quoted = false;
};

std::optional<Include> parse_include(std::string_view line) {
    const auto skip_blanks = [&] {
        line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    };
    skip_blanks();
    if (!line.starts_with('#')) {
        return std::nullopt;
    }
    line.remove_prefix(1);
    skip_blanks();
    if (!line.starts_with("include")) {
        return std::nullopt;
    }
    line.remove_prefix(7);
    skip_blanks();
    if (line.empty() || (line[0] != '"' && line[0] != '<')) {
        return std::nullopt;
    }
    const bool quoted = line[0] == '"';
    line.remove_prefix(1);
    return Include{std::string(line.substr(0, line.find(quoted ? '"' : '>'))), quoted};
}

/// The room a target like "agentcom/core/ids.hpp" or "store/keys.hpp" leads to; nothing when it is
/// a system or library header, or one beside the including file.
std::optional<std::string> room_of(std::string_view target) {
    if (target.starts_with("agentcom/")) {
        target.remove_prefix(9);
    }
    const std::string room(target.substr(0, target.find('/')));
    return target.find('/') != std::string_view::npos && kArrows.contains(room)
               ? std::optional(room)
               : std::nullopt;
}

/// What is wrong with this include in a file of this room; nothing when it is allowed.
std::optional<std::string> judge(const std::string& room, bool door, const Include& include) {
    if (const auto other = room_of(include.target)) {
        if (*other != room && !kArrows.at(room).contains(*other)) {
            return room + " may not include " + *other;
        }
        // src/<room> is the inside of a room.
        if (*other != room && !include.target.starts_with("agentcom/")) {
            return room + " includes a private header of " + *other;
        }
        return std::nullopt;
    }
    for (const auto& [prefix, rooms] : kLibraries) {
        if (include.target.starts_with(prefix)) {
            if (!rooms.contains(room)) {
                return room + " may not include " + include.target;
            }
            if (door && kNeverInDoors.contains(prefix)) {
                return "a header under include/ may not include " + include.target;
            }
        }
    }
    return std::nullopt;
}

struct Source {
    fs::path path;
    std::string room;
    bool door = false;
};

std::vector<Source> sources() {
    const fs::path root = agentcom::test::source_dir();
    std::vector<Source> found;
    for (const auto& [folder, door] :
         {std::pair{root / "include" / "agentcom", true}, std::pair{root / "src", false}}) {
        for (const auto& entry : fs::recursive_directory_iterator(folder)) {
            const auto extension = entry.path().extension();
            if (entry.is_regular_file() && (extension == ".hpp" || extension == ".cpp")) {
                const auto relative = fs::relative(entry.path(), folder);
                found.push_back({entry.path(), relative.begin()->string(), door});
            }
        }
    }
    return found;
}

TEST(Architecture, EveryRoomOfTheTableHasFilesAndEveryFileHasARoom) {
    std::set<std::string> rooms;
    for (const Source& source : sources()) {
        EXPECT_TRUE(kArrows.contains(source.room)) << source.path;
        rooms.insert(source.room);
    }
    for (const auto& [room, arrows] : kArrows) {
        EXPECT_TRUE(rooms.contains(room)) << room;
    }
}

TEST(Architecture, EveryIncludeFollowsTheArrows) {
    std::size_t seen = 0;
    for (const Source& source : sources()) {
        std::ifstream stream(source.path);
        std::string line;
        for (int number = 1; std::getline(stream, line); ++number) {
            const auto include = parse_include(line);
            if (!include || !kArrows.contains(source.room)) {
                continue;
            }
            ++seen;
            if (const auto problem = judge(source.room, source.door, *include)) {
                ADD_FAILURE() << source.path.string() << ':' << number << ": " << *problem;
            }
        }
    }
    EXPECT_GT(seen, 100U);
}

TEST(Architecture, TheArrowsHaveNoCycle) {
    // Rooms whose arrows all lead to rooms already reached can be put below the others, until none
    // is left.
    std::set<std::string> placed;
    for (std::size_t round = 0; round < kArrows.size(); ++round) {
        for (const auto& [room, arrows] : kArrows) {
            if (std::ranges::all_of(arrows, [&](const auto& to) { return placed.contains(to); })) {
                placed.insert(room);
            }
        }
    }
    EXPECT_EQ(placed.size(), kArrows.size());
}

TEST(Architecture, AForbiddenEdgeIsNoticed) {
    const auto problem = [](const char* room, bool door, std::string_view line) {
        const auto include = parse_include(line);
        return include && judge(room, door, *include).has_value();
    };
    EXPECT_TRUE(problem("store", false, "#include \"agentcom/protocol/codec.hpp\""));
    EXPECT_TRUE(problem("services", true, "#include \"agentcom/router/router.hpp\""));
    EXPECT_TRUE(problem("net", false, "#include \"agentcom/store/store.hpp\""));
    EXPECT_TRUE(problem("net", false, "  #  include \"agentcom/services/auth.hpp\""));
    EXPECT_TRUE(problem("net", false, "#include \"router/impl.hpp\""));
    EXPECT_TRUE(problem("router", false, "#include <nlohmann/json.hpp>"));
    EXPECT_TRUE(problem("router", false, "#include <boost/json/value.hpp>"));
    EXPECT_TRUE(problem("delivery", false, "#include <boost/beast/websocket.hpp>"));
    EXPECT_TRUE(problem("cli", false, "#include \"agentcom/net/endpoint.hpp\""));
    EXPECT_TRUE(problem("cli", false, "#include \"agentcom/webhooks/webhooks.hpp\""));
    EXPECT_TRUE(problem("cli", true, "#include <nlohmann/json.hpp>"));
    EXPECT_TRUE(problem("store", true, "#include <lmdb.h>"));
    EXPECT_TRUE(problem("core", false, "#include <boost/asio/post.hpp>"));
    EXPECT_TRUE(problem("net", false, "#include <boost/beast/core.hpp>"));
    EXPECT_TRUE(problem("protocol", false, "#include <boost/json/value.hpp>"));

    EXPECT_FALSE(problem("store", false, "#include <lmdb.h>"));
    EXPECT_FALSE(problem("store", false, "#include \"store/keys.hpp\""));
    EXPECT_FALSE(problem("app", false, "#include \"agentcom/cli/hub_client.hpp\""));
    EXPECT_FALSE(problem("delivery", true, "#include <boost/asio/io_context.hpp>"));
    EXPECT_FALSE(problem("app", false, "#include \"agentcom/services/auth.hpp\""));
    EXPECT_FALSE(problem("router", false, "// #include <nlohmann/json.hpp>"));
}

}  // namespace
