// Files of clients on disk, and how they come back.
#include "cli/agents/installed_file.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/temp_dir.hpp"

namespace agentcom::cli::agents {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kOwnEntry =
    R"({"mcpServers":{"agentcom":{"type":"http","url":"http://mine:1/mcp"}},"z":1})";

class InstalledFiles : public testing::Test {
protected:
    void SetUp() override { fs::create_directories(home()); }

    [[nodiscard]] fs::path home() const { return dir_.path() / "home"; }
    [[nodiscard]] fs::path claude_json() const { return home() / ".claude.json"; }
    static void write(const fs::path& file, const std::string& text) {
        fs::create_directories(file.parent_path());
        std::ofstream(file, std::ios::binary) << text;
    }
    static std::string read(const fs::path& file) { return read_config_file(file); }
    /// As clients write their files: the same values in another form.
    static void reformat(const fs::path& file) { write(file, json::parse(read(file)).dump(4)); }

    [[nodiscard]] std::vector<InstalledFile> files(Dialect dialect, const std::string& project,
                                                   const std::string& url = "http://hub:1") const {
        Places places;
        places.home = home();
        places.project = project.empty() ? dir_.path() : dir_.path() / project;
        places.codex = home() / ".codex";
        places.copilot = home() / ".copilot";
        places.config = home() / ".config";
        std::vector<InstalledFile> all;
        for (FileChange& change :
             client_files(dialect, project.empty() ? Scope::user : Scope::project, places,
                          {url, std::string(64, 'a'), "ctx", "agentcom"})) {
            all.emplace_back(std::move(change), dir_.path() / "state");
        }
        return all;
    }
    /// For all projects without the name of one.
    void connect(Dialect dialect, const std::string& project = "",
                 const std::string& url = "http://hub:1") const {
        for (const InstalledFile& file : files(dialect, project, url)) {
            const auto texts = file.connected();
            if (texts.before != texts.after) file.install(texts);
        }
    }
    void undo(Dialect dialect, const std::string& project = "") const {
        for (const InstalledFile& file : files(dialect, project)) file.restore(file.undone());
    }
    /// Every file of the home and the projects, with its text.
    [[nodiscard]] std::map<std::string, std::string> everything() const {
        std::map<std::string, std::string> all;
        for (const auto& entry : fs::recursive_directory_iterator(dir_.path())) {
            const std::string name = fs::relative(entry.path(), dir_.path()).string();
            if (entry.is_regular_file()) all[name] = read(entry.path());
        }
        return all;
    }
    [[nodiscard]] json server_of(const std::string& project) const {
        const json text = json::parse(read(claude_json()));
        if (project.empty()) return text.value("/mcpServers/agentcom"_json_pointer, json());
        const json projects = text.value("projects", json::object());
        return projects.value((dir_.path() / project).string(), json::object())
            .value("/mcpServers/agentcom"_json_pointer, json());
    }

    test::TempDir dir_;
};

TEST_F(InstalledFiles, UndoingOneConnectionLeavesTheOthersOfTheFile) {
    const std::string mine = "{\"numStartups\": 3, \"mcpServers\": {}}";
    const std::vector<std::string> all = {"", "one", "two"};
    for (const std::string& gone : all) {
        write(claude_json(), mine);
        for (const std::string& project : all) connect(Dialect::claude, project);
        undo(Dialect::claude, gone);
        for (const std::string& project : all) {
            EXPECT_EQ(server_of(project).is_null(), project == gone)
                << "'" << project << "' after '" << gone << "' was undone";
        }
        for (const std::string& project : all) {
            if (project != gone) undo(Dialect::claude, project);
        }
        EXPECT_EQ(json::parse(read(claude_json())).at("numStartups"), 3);
        EXPECT_EQ(read(claude_json()).find("agentcom"), std::string::npos);
        fs::remove(claude_json());
        EXPECT_EQ(everything(), (std::map<std::string, std::string>{}))
            << "copies and notes are gone";
    }
}

TEST_F(InstalledFiles, ConnectionsThatAreUndoneBackwardsGiveTheBytesBack) {
    const std::string mine = "{\"numStartups\": 3,   \"mcpServers\": {}}";
    write(claude_json(), mine);
    connect(Dialect::claude);
    const std::string once = read(claude_json());
    connect(Dialect::claude, "one");
    undo(Dialect::claude, "one");
    EXPECT_EQ(read(claude_json()), once);
    undo(Dialect::claude);
    EXPECT_EQ(read(claude_json()), mine);
}

TEST_F(InstalledFiles, AFileThatConnectionsMadeGoesWithTheLastOfThem) {
    for (const bool forwards : {true, false}) {
        connect(Dialect::claude);
        connect(Dialect::claude, "one");
        undo(Dialect::claude, forwards ? "" : "one");
        EXPECT_TRUE(fs::exists(claude_json()));
        undo(Dialect::claude, forwards ? "one" : "");
        EXPECT_EQ(everything(), (std::map<std::string, std::string>{}));
    }
}

TEST_F(InstalledFiles, WhatWasNeverConnectedStaysAsItIs) {
    for (const char* text : {"", "{}", " \n", "{\"a\":1}"}) {
        write(claude_json(), text);
        const auto before = everything();
        undo(Dialect::claude);
        EXPECT_EQ(everything(), before);
    }
}

TEST_F(InstalledFiles, AFileThatWasThereSurvivesBeingWrittenAnew) {
    for (const std::string text : {"", "{}\n", "{ }"}) {
        SCOPED_TRACE("'" + text + "'");
        write(claude_json(), text);
        connect(Dialect::claude);
        reformat(claude_json());
        undo(Dialect::claude);
        EXPECT_TRUE(fs::exists(claude_json()));
        EXPECT_EQ(read(claude_json()), text);
        // So it does when `connect` comes a second time, with another hub.
        connect(Dialect::claude);
        reformat(claude_json());
        connect(Dialect::claude, "", "http://other:2");
        reformat(claude_json());
        undo(Dialect::claude);
        EXPECT_TRUE(fs::exists(claude_json()));
        EXPECT_EQ(read(claude_json()).find_first_not_of("{} \n"), std::string::npos);
    }
}

TEST_F(InstalledFiles, AFileThatWasNotThereGoesAlsoWhenItWasWrittenAnew) {
    connect(Dialect::claude);
    reformat(claude_json());
    connect(Dialect::claude, "", "http://other:2");
    undo(Dialect::claude);
    EXPECT_EQ(everything(), (std::map<std::string, std::string>{}));
    // Unless the client has put something of its own there.
    connect(Dialect::claude);
    json text = json::parse(read(claude_json()));
    text["numStartups"] = 1;
    write(claude_json(), text.dump());
    connect(Dialect::claude, "", "http://other:2");
    undo(Dialect::claude);
    EXPECT_EQ(json::parse(read(claude_json())), (json{{"numStartups", 1}}));
}

TEST_F(InstalledFiles, TheCopyWithAnEntryOfTheUsersOwnIsNeverReplacedByOneOfOurs) {
    write(claude_json(), kOwnEntry);
    const fs::path copy = home() / ".claude.json.agentcom-backup";
    connect(Dialect::claude);
    for (const char* url : {"http://other:2", "http://third:3"}) {
        reformat(claude_json());
        connect(Dialect::claude, "", url);
        EXPECT_EQ(read(copy), kOwnEntry);
    }
    json text = json::parse(read(claude_json()));
    text["z"] = 2;
    write(claude_json(), text.dump());
    undo(Dialect::claude);
    // What was written since stays, and the user's own entry is still in the copy.
    EXPECT_EQ(json::parse(read(claude_json())), (json{{"z", 2}}));
    EXPECT_EQ(read(copy), kOwnEntry);
    // So it is after another round, which does not bring the copy's other values back.
    connect(Dialect::claude);
    undo(Dialect::claude);
    EXPECT_EQ(json::parse(read(claude_json())).at("z"), 2);
    EXPECT_EQ(read(copy), kOwnEntry);
    // An entry that the user writes later is the one that counts.
    const std::string later = R"({"mcpServers":{"agentcom":{"url":"http://mine:2/mcp"}}})";
    write(claude_json(), later);
    connect(Dialect::claude);
    EXPECT_EQ(read(copy), later);
    undo(Dialect::claude);
    EXPECT_EQ(read(claude_json()), later);
    EXPECT_FALSE(fs::exists(copy));
}

TEST_F(InstalledFiles, ACopyOfEarlierTimesIsNotPutInPlaceOfNoFile) {
    write(claude_json(), kOwnEntry);
    connect(Dialect::claude);
    reformat(claude_json());
    undo(Dialect::claude);
    fs::remove(claude_json());
    connect(Dialect::claude);
    undo(Dialect::claude);
    EXPECT_FALSE(fs::exists(claude_json()));
    EXPECT_EQ(read(home() / ".claude.json.agentcom-backup"), kOwnEntry);
}

TEST_F(InstalledFiles, ANoteThatCannotBeUsedIsNone) {
    write(claude_json(), "{\"a\":1}");
    connect(Dialect::claude);
    for (const auto& entry : fs::directory_iterator(dir_.path() / "state/connect")) {
        write(entry.path(), R"({"written":7,"existed":"yes"})");
    }
    undo(Dialect::claude);
    EXPECT_EQ(json::parse(read(claude_json())), (json{{"a", 1}}));
}

TEST_F(InstalledFiles, WhereNothingCanBeWrittenIsSaid) {
    const auto room = [this] { files(Dialect::claude, "").back().require_room(); };
    EXPECT_NO_THROW(room());
    write(home() / ".claude", "no directory");
    try {
        room();
        FAIL();
    } catch (const std::runtime_error& error) {
        EXPECT_EQ(std::string(error.what()),
                  "nothing can be written into " + (home() / ".claude").string());
    }
    fs::remove(home() / ".claude");
    write(dir_.path() / "state", "no directory");
    EXPECT_THROW(room(), std::runtime_error);
}

}  // namespace
}  // namespace agentcom::cli::agents
