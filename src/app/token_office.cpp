#include "app/token_office.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <stdexcept>
#include <thread>
#include <utility>

#include "agentcom/core/time.hpp"
#include "agentcom/services/auth.hpp"
#include "agentcom/store/opening.hpp"
#include "app/admin_client.hpp"
#include "app/admin_token.hpp"
#include "app/run_file.hpp"

namespace agentcom::app {
namespace {

[[noreturn]] void fail_for(const core::Error& error) {
    throw std::runtime_error(std::string(error.explanation()));
}

class DirectoryOffice final : public TokenOffice {
public:
    explicit DirectoryOffice(const store::StoreOptions& options)
        : store_(store::Store::open(options, clock_)) {
        store_->start(nullptr);
    }

    std::string create(const core::AgentId& agent, core::Role role) override {
        const auto token = core::Token::generate();
        const auto outcome = store_->submit_and_wait(
            store::CreateToken{agent, token.digest(), token.prefix(), role});
        if (!outcome) {
            fail_for(outcome.error());
        }
        return token.reveal();
    }

    std::vector<IssuedToken> list() override {
        std::vector<IssuedToken> all;
        services::for_each_token(*store_, [&](const store::TokenRecord& token) {
            all.push_back({token.agent.str(), std::string(role_name(token.role)), token.prefix});
        });
        return all;
    }

    void revoke(const std::string& agent) override {
        const auto outcome = store_->submit_and_wait(store::RevokeTokens{agent});
        if (!outcome) {
            fail_for(outcome.error());
        }
        const auto* revoked = std::get_if<store::TokensRevoked>(&*outcome);
        if (revoked != nullptr && revoked->count == 0) {
            throw std::runtime_error("the agent " + agent + " has no token");
        }
    }

private:
    core::SystemClock clock_;
    std::unique_ptr<store::Store> store_;
};

class HubOffice final : public TokenOffice {
public:
    HubOffice(RunningHub hub, std::string admin_token)
        : client_(std::move(hub), std::move(admin_token)) {}

    std::string create(const core::AgentId& agent, core::Role role) override {
        const nlohmann::json body = {{"agent_id", agent.str()}, {"role", role_name(role)}};
        return text_of(client_.ask("POST", "/admin/tokens", body.dump()).body, "token");
    }

    std::vector<IssuedToken> list() override {
        std::vector<IssuedToken> all;
        const auto answer = client_.ask("GET", "/admin/tokens");
        const auto tokens = answer.body.find("tokens");
        if (tokens == answer.body.end() || !tokens->is_array()) {
            throw std::runtime_error("the hub's answer has no list of tokens");
        }
        for (const auto& token : *tokens) {
            all.push_back({text_of(token, "agent_id"), text_of(token, "role"),
                           text_of(token, "token_prefix").substr(0, 8)});
        }
        return all;
    }

    void revoke(const std::string& agent) override {
        (void)client_.ask("DELETE", "/admin/tokens/" + cli::encode_path_segment(agent));
    }

private:
    static std::string text_of(const nlohmann::json& object, const char* key) {
        const auto found = object.find(key);
        if (found == object.end() || !found->is_string()) {
            throw std::runtime_error(std::string("the hub's answer has no ") + key);
        }
        return found->get<std::string>();
    }

    AdminClient client_;
};

/// Whether the file is that of a hub which runs and listens, not of one that was killed. One in a
/// container of its own shows no process here; its address is used when the patience is over.
bool is_reachable(const RunningHub& hub) {
    const bool lives = ::kill(static_cast<pid_t>(hub.pid), 0) == 0 || errno == EPERM;
    return lives && AdminClient(hub, {}).reaches();
}

std::unique_ptr<TokenOffice> open_hub_office(const Config& config, RunningHub hub,
                                             const std::optional<std::string>& admin_token) {
    const auto text =
        admin_token ? *admin_token : read_token_file(admin_token_file(config.store.directory));
    if (!core::Token::parse(text)) {
        throw std::runtime_error(
            "a hub serves " + config.store.directory.string() +
            ", so an administrator's token is needed: --admin-token-file, AGENTCOM_ADMIN_TOKEN, or "
            "the file admin_token there");
    }
    return std::make_unique<HubOffice>(std::move(hub), text);
}

}  // namespace

std::unique_ptr<TokenOffice> open_token_office(const Config& config,
                                               const std::optional<std::string>& admin_token) {
    static constexpr core::Millis kPause{20};
    const auto& directory = config.store.directory;
    const auto deadline = std::chrono::steady_clock::now() + store::kLockWait;
    // Used by a hub that has left its address, by one that starts or stops, or by another command,
    // which is done in a moment.
    for (; store::is_in_use(directory); std::this_thread::sleep_for(kPause)) {
        const bool patient = std::chrono::steady_clock::now() < deadline;
        auto hub = RunFile::read(directory);
        if (hub && (is_reachable(*hub) || !patient)) {
            return open_hub_office(config, std::move(*hub), admin_token);
        }
        if (!patient) {
            break;  // the store has a sentence for it
        }
    }
    try {
        auto office = std::make_unique<DirectoryOffice>(config.store);
        RunFile::remove_stale(directory);
        return office;
    } catch (const store::StoreInUse&) {
        // A hub took it in between.
        if (auto hub = RunFile::read(directory)) {
            return open_hub_office(config, std::move(*hub), admin_token);
        }
        throw;
    }
}

}  // namespace agentcom::app
