#include "app/admin_token.hpp"

#include <algorithm>
#include <fstream>
#include <stdexcept>

#include "agentcom/core/private_file.hpp"
#include "agentcom/core/token.hpp"
#include "agentcom/services/auth.hpp"

namespace agentcom::app {
namespace {

core::AgentId first_admin() { return core::AgentId::parse(kFirstAdmin).value(); }

void install(store::Store& store, const core::Token& token) {
    const auto outcome = store.submit_and_wait(
        store::CreateToken{first_admin(), token.digest(), token.prefix(), core::Role::admin});
    if (outcome) {
        return;
    }
    const std::string problem =
        "cannot store the administrator's token: " + std::string(outcome.error().explanation());
    if (outcome.error().code == core::ErrorCode::storage_full) {
        throw NoRoomForToken(problem);
    }
    throw std::runtime_error(problem);
}

core::Token parse_given(const GivenToken& given) {
    const auto token = core::Token::parse(given.text);
    if (!token) {
        throw ConfigError(given.origin + " must be 64 lower-case hexadecimal digits");
    }
    return *token;
}

void install_given(store::Store& store, const GivenToken& given) {
    const core::Token token = parse_given(given);
    const auto known = store.find_token(token.digest());
    if (known && known->agent.str() != kFirstAdmin) {
        throw ConfigError(given.origin + " holds a token of the agent " + known->agent.str());
    }
    // The operator says that it is good, whatever has been made of it meanwhile.
    if (!known || known->role != core::Role::admin || known->expires_at) {
        install(store, token);
    }
}

bool somebody_administers(const store::Store& store, const Config& config) {
    bool found = false;
    services::for_each_token(store, [&](const store::TokenRecord& token) {
        if (token.expired(core::SystemClock().now())) {
            return;
        }
        found = found || token.role == core::Role::admin ||
                std::ranges::count(config.router.admin_agents, token.agent) != 0;
    });
    return found;
}

}  // namespace

std::filesystem::path admin_token_file(const std::filesystem::path& data_dir) {
    return data_dir / "admin_token";
}

std::string read_token_file(const std::filesystem::path& file) {
    std::ifstream stream(file);
    std::string text;
    std::getline(stream, text);
    return core::trim_token(text);
}

std::optional<GivenToken> given_admin_token(const Config& config, const Environment& environment) {
    std::optional<GivenToken> given;
    const auto variable =
        std::ranges::find(environment, kAdminTokenVariable, &Environment::value_type::first);
    if (variable != environment.end()) {
        given = {core::trim_token(variable->second),
                 "the environment variable " + std::string(kAdminTokenVariable)};
    } else if (!config.admin_token_file.empty()) {
        const std::string& file = config.admin_token_file;
        if (!std::ifstream(file)) {
            throw ConfigError("auth.admin_token_file: cannot read " + file);
        }
        given = {read_token_file(file), "auth.admin_token_file: the first line of " + file};
    }
    if (given) (void)parse_given(*given);
    return given;
}

std::optional<std::filesystem::path> ensure_admin_token(store::Store& store, const Config& config,
                                                        const std::optional<GivenToken>& given,
                                                        bool store_is_new) {
    if (given) {
        install_given(store, *given);
        return std::nullopt;
    }
    if (somebody_administers(store, config)) {
        return std::nullopt;
    }
    // The file first: a crash in between leaves a file that the next start replaces, not a token
    // that nobody knows.
    const auto file = admin_token_file(config.store.directory);
    const auto kept = store_is_new ? core::Token::parse(read_token_file(file)) : std::nullopt;
    const auto token = kept ? *kept : core::Token::generate();
    core::write_private_file(file, token.reveal() + '\n');
    install(store, token);
    return file;
}

}  // namespace agentcom::app
