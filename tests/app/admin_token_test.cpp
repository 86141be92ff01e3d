// The first administrator's token: whatever a start that was cut off has left, the next one sees to
// it that somebody can administer the hub.

#include "app/admin_token.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "agentcom/core/private_file.hpp"
#include "agentcom/core/token.hpp"
#include "agentcom/store/opening.hpp"
#include "support/temp_dir.hpp"

namespace agentcom::app {
namespace {

class AdminToken : public ::testing::Test {
protected:
    AdminToken() {
        config_.store.directory = dir_.path() / "data";
        config_.store.map_size = std::size_t{64} << 20;
        restart();
    }
    void restart() {
        store_.reset();
        store_ = store::Store::open(config_.store, clock_);
        store_->start(nullptr);
    }
    /// As a start does; what is in the file is then an administrator's token.
    std::string ensure() {
        store_.reset();
        const bool store_is_new = !store::holds_store(config_.store.directory);
        restart();
        (void)ensure_admin_token(*store_, config_, std::nullopt, store_is_new);
        const std::string text = read_token_file(file());
        const auto token = core::Token::parse(text);
        EXPECT_TRUE(token.has_value()) << text;
        if (!token) return text;
        const auto known = store_->find_token(token->digest());
        EXPECT_TRUE(known && known->role == core::Role::admin);
        return text;
    }
    [[nodiscard]] std::filesystem::path file() const {
        return admin_token_file(config_.store.directory);
    }

    test::TempDir dir_;
    core::ManualClock clock_;
    Config config_;
    std::unique_ptr<store::Store> store_;
};

TEST_F(AdminToken, OfAFileIsInstalledAndNoOtherIsMade) {
    const std::string chosen = core::Token::generate().reveal();
    config_.admin_token_file = dir_.path() / "chosen";
    std::ofstream(config_.admin_token_file) << "  " << chosen << " \r\nsecond line\n";
    const auto given = given_admin_token(config_, {});
    ASSERT_TRUE(given);
    EXPECT_EQ(given->text, chosen);
    EXPECT_FALSE(ensure_admin_token(*store_, config_, given, false));
    const auto known = store_->find_token(core::Token::parse(chosen)->digest());
    ASSERT_TRUE(known);
    EXPECT_EQ(known->agent.str(), kFirstAdmin);
    EXPECT_EQ(known->role, core::Role::admin);
    EXPECT_FALSE(std::filesystem::exists(file()));
    // The variable wins.
    const std::string other = core::Token::generate().reveal();
    EXPECT_EQ(given_admin_token(config_, {{"AGENTCOM_ADMIN_TOKEN", other}})->text, other);
}

TEST_F(AdminToken, OfAFileThatIsOfNoUseIsAnErrorThatNamesTheFile) {
    const auto problem = [&] {
        try {
            (void)given_admin_token(config_, {});
        } catch (const ConfigError& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    config_.admin_token_file = dir_.path() / "chosen";
    EXPECT_EQ(problem(), "auth.admin_token_file: cannot read " + config_.admin_token_file);
    std::ofstream(config_.admin_token_file) << "hunter2\n";
    EXPECT_EQ(problem(), "auth.admin_token_file: the first line of " + config_.admin_token_file +
                             " must be 64 lower-case hexadecimal digits");
}

TEST_F(AdminToken, IsInTheFileBeforeItIsInTheStore) {
    // Nothing takes the place of a directory that has something in it.
    std::filesystem::create_directories(file() / "in the way");
    EXPECT_THROW((void)ensure_admin_token(*store_, config_, std::nullopt, false), core::FileError);
    EXPECT_FALSE(store_->has_token(kFirstAdmin));
    std::filesystem::remove_all(file());
    (void)ensure();
}

TEST_F(AdminToken, IsMadeAnewWhenAStartWasCutOffBeforeItWasStored) {
    const std::string lost = core::Token::generate().reveal();
    for (const std::string& left : {std::string(), lost.substr(0, 10), lost + '\n'}) {
        config_.store.directory = dir_.path() / ("data-" + std::to_string(left.size()));
        restart();
        // A new file under its first name, a torn one, a whole one.
        std::filesystem::path fresh = file();
        fresh += ".new";
        for (const std::filesystem::path& path : {file(), fresh}) std::ofstream(path) << left;
        const std::string made = ensure();
        EXPECT_NE(made, lost);
        EXPECT_FALSE(store_->find_token(core::Token::parse(lost)->digest()));
        EXPECT_FALSE(std::filesystem::exists(fresh));
        EXPECT_EQ(ensure(), made) << "the next start makes no other one";
    }
}

TEST_F(AdminToken, OfAStoreThatIsLostIsThatOfTheNewOneToo) {
    const std::string first = ensure();
    const auto lose_store = [&] {
        store_.reset();
        std::filesystem::remove(config_.store.directory / "data.mdb");
    };
    lose_store();
    EXPECT_EQ(ensure(), first) << "restored, the old store takes what is in the file";
    lose_store();
    std::ofstream(file()) << first.substr(0, 10);
    EXPECT_NE(ensure(), first);
}

TEST_F(AdminToken, IsMadeAnewWhenTheStoreThatIsThereHasNone) {
    const std::string revoked = ensure();
    ASSERT_TRUE(store_->submit_and_wait(store::RevokeTokens{std::string(kFirstAdmin)}));
    EXPECT_NE(ensure(), revoked);
    EXPECT_FALSE(store_->find_token(core::Token::parse(revoked)->digest()));
}

}  // namespace
}  // namespace agentcom::app
