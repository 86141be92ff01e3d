// backup, restore and doctor, as an operator meets them.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "agentcom/core/token.hpp"
#include "agentcom/store/store.hpp"
#include "app/command_fixture.hpp"

namespace agentcom::app {
namespace {

class Backup : public CommandTest {
protected:
    [[nodiscard]] std::string copy() const { return directory_ / "copy"; }
    [[nodiscard]] std::string restored() const { return directory_ / "restored"; }
    [[nodiscard]] nlohmann::json manifest() const {
        return nlohmann::json::parse(read_text(copy() + "/manifest.json"));
    }
    std::string token_for(const std::string& agent) {
        return first_line(run({"token", "create", agent, "--data-dir", data()}).output);
    }
    static void send(const AdminClient& client, int count = 1) {
        for (int i = 0; i < count; ++i) {
            (void)client.ask("POST", "/api/message", R"({"to":"bob","payload":{"n":1}})");
        }
    }
};

TEST_F(Backup, AnOldStoreIsCopiedBroughtUpToDateAndServedAndTheCopyCanBeRestored) {
    std::filesystem::create_directories(data());
    std::filesystem::copy_file(test::source_dir() / "tests/store/data/schema1/data.mdb",
                               data() + "/data.mdb");
    auto hub = serve({std::string("AGENTCOM_ADMIN_TOKEN=") + kSomeToken});
    const std::string line = hub->wait_for_line("a copy of the store as it was is in ");
    const std::filesystem::path copy = line.substr(line.find(data()));
    EXPECT_EQ(nlohmann::json::parse(read_text(copy / "manifest.json")).at("schema"), 1);
    EXPECT_EQ(mode_of(copy), 0700U);
    EXPECT_EQ(mode_of(copy / "data.mdb"), 0600U);
    EXPECT_EQ(client(kSomeToken).ask("GET", "/api/channels/ops").body.at("created_by"), "alice");
    hub->signal(SIGTERM);
    ASSERT_EQ(hub->wait(), 0) << hub->errors();

    const Ran ran = run({"restore", copy.string(), "--data-dir", data(), "--force"});
    EXPECT_EQ(ran.status, 0) << ran.errors;
    EXPECT_NE(run({"doctor", "--data-dir", data()}).output.find("schema 3"), std::string::npos);
}

TEST_F(Backup, ACopyOfARunningHubIsRestoredUnderANewEpoch) {
    std::string epoch;
    std::string bob;
    std::string alice;
    {
        auto hub = serve();
        alice = token_for("alice");
        bob = token_for("bob");
        send(client(alice), 3);
        const Ran made = run({"backup", copy(), "--data-dir", data()});
        ASSERT_EQ(made.status, 0) << made.errors;
        send(client(alice), 2);
        epoch = client(bob).ask("GET", "/api/mailbox/bob").body.at("epoch");
    }
    const auto written = manifest();
    EXPECT_EQ(written.at("epoch"), epoch);
    EXPECT_EQ(written.at("head"), 3);
    EXPECT_EQ(written.at("schema"), 3);
    EXPECT_EQ(written.at("size"), std::filesystem::file_size(copy() + "/data.mdb"));
    EXPECT_TRUE(written.at("checksum").get<std::string>().starts_with("sha256:"));
    EXPECT_EQ(written.at("findings"), 0);
    EXPECT_TRUE(written.contains("version"));
    EXPECT_TRUE(written.contains("time"));
    EXPECT_EQ(mode_of(copy()), 0700U);
    EXPECT_EQ(mode_of(copy() + "/manifest.json"), 0600U);
    EXPECT_EQ(mode_of(copy() + "/data.mdb"), 0600U);

    const Ran ran = run({"restore", copy(), "--data-dir", restored()});
    ASSERT_EQ(ran.status, 0) << ran.errors;
    EXPECT_NE(ran.errors.find("admin_token"), std::string::npos) << ran.errors;
    test::Program hub({"serve", "--data-dir", restored(), "--port", "0"});
    hub.wait_for_line("listening on ");
    const AdminClient there(RunFile::read(restored()).value(), bob);
    const auto mailbox = there.ask("GET", "/api/mailbox/bob").body;
    EXPECT_EQ(mailbox.at("messages").size(), 3U);
    EXPECT_NE(mailbox.at("epoch"), epoch);
}

TEST_F(Backup, AnAdministratorsTokenThatDoesNotFitOrHasExpiredIsTold) {
    const core::Token old = core::Token::generate();
    const core::Token good = core::Token::generate();
    {
        const core::SystemClock clock;
        const auto store = store::Store::open({.directory = data()}, clock);
        store->start(nullptr);
        const auto admin = core::AgentId::parse("admin").value();
        ASSERT_TRUE(store->submit_and_wait(store::CreateToken{
            admin, old.digest(), old.prefix(), core::Role::admin, "", core::Timestamp{1'000}}));
        ASSERT_TRUE(store->submit_and_wait(
            store::CreateToken{admin, good.digest(), good.prefix(), core::Role::admin}));
    }
    ASSERT_EQ(run({"backup", copy(), "--data-dir", data()}).status, 0);
    const auto restore = [&] {
        return run({"restore", copy(), "--data-dir", restored(), "--force"});
    };
    const auto with = [&](const std::string& token) {
        std::ofstream(restored() + "/admin_token") << token << '\n';
        return restore().errors;
    };
    const Ran first = restore();
    ASSERT_EQ(first.status, 0) << first.errors;
    expect_one_line(first.errors, "there is no token in ");
    EXPECT_NE(first.output.find(", made " + manifest().at("time").get<std::string>() + ", to "),
              std::string::npos)
        << first.output;
    expect_one_line(with(old.reveal()), "has expired");
    expect_one_line(with(kSomeToken), "is no administrator's in this store");
    EXPECT_EQ(with(good.reveal()), "");
    EXPECT_EQ(with(good.reveal() + "\r"), "");
}

TEST_F(Backup, AHubIsNotRestoredUnder) {
    auto hub = serve();
    ASSERT_EQ(run({"backup", copy(), "--data-dir", data()}).status, 0);
    const Ran ran = run({"restore", copy(), "--data-dir", data(), "--force"});
    EXPECT_EQ(ran.status, 1);
    expect_one_line(ran.errors, "in use");
    EXPECT_EQ(client("").ask("GET", "/health").status, 200);
}

TEST_F(Backup, WhatIsThereIsReplacedOnlyWithForce) {
    ASSERT_EQ(run({"token", "create", "a", "--create", "--data-dir", data()}).status, 0);
    ASSERT_EQ(run({"backup", copy(), "--data-dir", data()}).status, 0);
    ASSERT_EQ(run({"token", "create", "b", "--data-dir", data()}).status, 0);
    const Ran refused = run({"restore", copy(), "--data-dir", data()});
    EXPECT_EQ(refused.status, 1);
    expect_one_line(refused.errors, "--force");
    EXPECT_NE(run({"token", "list", "--data-dir", data()}).output.find("  b\n"), std::string::npos);
    ASSERT_EQ(run({"restore", copy(), "--data-dir", data(), "--force"}).status, 0);
    const std::string list = run({"token", "list", "--data-dir", data()}).output;
    EXPECT_NE(list.find("  a\n"), std::string::npos);
    EXPECT_EQ(list.find("  b\n"), std::string::npos);
}

TEST_F(Backup, WhatIsNoWholeBackupIsRefused) {
    ASSERT_EQ(run({"token", "create", "a", "--create", "--data-dir", data()}).status, 0);
    ASSERT_EQ(run({"backup", copy(), "--data-dir", data()}).status, 0);
    const auto refuse = [&](const std::string& why) {
        const Ran ran = run({"restore", copy(), "--data-dir", restored()});
        EXPECT_EQ(ran.status, 1);
        expect_one_line(ran.errors, why);
        EXPECT_FALSE(std::filesystem::exists(restored() + "/data.mdb"));
    };
    const std::string text = read_text(copy() + "/manifest.json");
    auto changed = manifest();
    changed["checksum"] = "sha256:" + std::string(64, '0');
    std::ofstream(copy() + "/manifest.json") << changed;
    refuse("not the one its manifest tells of");
    changed = nlohmann::json::parse(text);
    changed["schema"] = 99;
    std::ofstream(copy() + "/manifest.json") << changed;
    refuse("was written by a newer version of this program (schema 99, ");
    std::ofstream(copy() + "/manifest.json") << "{}";
    refuse("is not a manifest");
    std::filesystem::remove(copy() + "/manifest.json");
    refuse("it has no manifest.json");
    std::ofstream(copy() + "/manifest.json") << text;
    EXPECT_EQ(run({"restore", copy(), "--data-dir", restored()}).status, 0);
    // Nor is it made twice into one place, or of nothing.
    EXPECT_EQ(run({"backup", copy(), "--data-dir", data()}).status, 1);
    EXPECT_EQ(run({"backup", directory_ / "other", "--data-dir", directory_ / "no"}).status, 1);
}

TEST_F(Backup, TheDoctorSaysSoundBesideAHub) {
    auto hub = serve();
    send(client(token_for("alice")));
    const Ran ran = run({"doctor", "--data-dir", data()});
    EXPECT_EQ(ran.status, 0) << ran.output << ran.errors;
    EXPECT_NE(ran.output.find("head 1, 1 messages"), std::string::npos) << ran.output;
    EXPECT_NE(ran.output.find(": sound\n"), std::string::npos) << ran.output;
    const Ran repair = run({"doctor", "--repair", "--data-dir", data()});
    EXPECT_EQ(repair.status, 1);
    expect_one_line(repair.errors, "in use");
    hub->signal(SIGTERM);
    EXPECT_EQ(hub->wait(), 0);
    EXPECT_EQ(run({"doctor", "--repair", "--data-dir", data()}).status, 0);
    EXPECT_EQ(run({"doctor", "--data-dir", directory_ / "no"}).status, 1);
}

TEST_F(Backup, CommandsOnAStoreThatWasNotClosedPrintWhatTheyAreAskedForAndNoMore) {
    for (const bool backs_up : {false, true}) {
        {
            auto hub = serve({"AGENTCOM_STORE_CHECKPOINT_INTERVAL=1h"});
            send(client(admin_token()));
            hub->signal(SIGKILL);
            (void)hub->wait();
        }
        const Ran ran = backs_up ? run({"backup", copy(), "--data-dir", data()})
                                 : run({"token", "create", "alice", "--data-dir", data()});
        EXPECT_EQ(ran.status, 0) << ran.errors;
        EXPECT_EQ(std::ranges::count(ran.output, '\n'), 1) << ran.output;
        expect_one_line(ran.errors, "the store was not closed in order");
    }
    EXPECT_EQ(manifest().at("head"), 2);  // what the journal had is in the copy
}

TEST_F(Backup, TheDoctorTellsOfADamagedJournalAndCutsItWhenAsked) {
    {
        auto hub = serve({"AGENTCOM_STORE_CHECKPOINT_INTERVAL=1h"});
        send(client(token_for("alice")), 5);
        hub->signal(SIGKILL);
        (void)hub->wait();
    }
    // In the third message from the end; what the hub notes by itself may lie between them.
    const std::string segment = data() + "/journal/segment-0";
    const std::string bytes = read_text(segment);
    std::size_t record = bytes.size();
    for (int i = 0; i < 3; ++i) record = bytes.rfind(R"({"n":1})", record - 1);
    record = bytes.rfind("rec1", record);
    ASSERT_NE(record, std::string::npos);
    std::fstream stream(segment, std::ios::binary | std::ios::in | std::ios::out);
    stream.seekp(static_cast<std::streamoff>(record + 8));
    stream.put('!');
    stream.close();

    const Ran refused = run({"serve", "--data-dir", data(), "--port", "0"});
    EXPECT_EQ(refused.status, 1);
    EXPECT_NE(refused.errors.find("cannot be applied to the store"), std::string::npos);
    const Ran found = run({"doctor", "--data-dir", data()});
    EXPECT_EQ(found.status, 3) << found.output << found.errors;
    EXPECT_NE(found.output.find(" with 2 messages can be read behind it"), std::string::npos)
        << found.output;
    const Ran cut = run({"doctor", "--cut-journal", "--data-dir", data()});
    EXPECT_EQ(cut.status, 0) << cut.output << cut.errors;
    EXPECT_NE(cut.output.find("journal.damaged-"), std::string::npos) << cut.output;
    EXPECT_NE(cut.output.find("head 2, 2 messages"), std::string::npos) << cut.output;
    auto hub = serve();
    hub->signal(SIGTERM);
    EXPECT_EQ(hub->wait(), 0);
    const Ran closed = run({"doctor", "--data-dir", data()});
    EXPECT_TRUE(closed.output.starts_with("journal: the store was closed in order\n"))
        << closed.output;
}

TEST_F(Backup, TheDoctorEndsWithASentenceWhereTheFileDoes) {
    {
        auto hub = serve();
        send(client(token_for("alice")), 20);
    }
    // Behind LMDB's own two pages nothing is left.
    std::filesystem::resize_file(data() + "/data.mdb", 8'192);
    const Ran ran = run({"doctor", "--data-dir", data()});
    EXPECT_TRUE(ran.status == 1 || ran.status == 3) << ran.status;
    EXPECT_EQ(ran.output.find("sound"), std::string::npos);
    EXPECT_TRUE(ran.errors.starts_with("agentcom: ")) << ran.errors;
}

}  // namespace
}  // namespace agentcom::app
