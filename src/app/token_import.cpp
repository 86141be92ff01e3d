#include "app/token_import.hpp"

#include <fstream>
#include <future>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "agentcom/core/toml.hpp"

namespace agentcom::app {

TokenFile read_token_list(const std::filesystem::path& file) {
    std::ifstream stream(file);
    if (!stream || std::filesystem::is_directory(file)) {
        throw std::runtime_error("cannot read " + file.string());
    }
    const auto content = nlohmann::json::parse(stream, nullptr, false);
    if (!content.is_object()) {
        throw std::runtime_error(file.string() +
                                 " is not a JSON object of tokens and their agents");
    }
    TokenFile out;
    for (const auto& [text, name] : content.items()) {
        if (!name.is_string()) {
            out.problems.emplace_back("an entry whose agent id is not a text");
            continue;
        }
        const std::string shown = core::quote_toml(name.get<std::string>());
        const auto token = core::Token::parse(text);
        const auto agent = core::AgentId::parse_issued(name.get<std::string>());
        if (!agent) {
            out.problems.push_back(shown + ": not an agent id");
        } else if (!token) {
            out.problems.push_back(shown + ": its token is not 64 lower-case hexadecimal digits");
        } else {
            out.tokens.emplace_back(*token, *agent);
        }
    }
    return out;
}

ImportOutcome import_tokens(store::Store& store, const TokenFile& file) {
    ImportOutcome outcome;
    outcome.problems = file.problems;
    std::vector<store::Submission> submissions;
    std::vector<std::pair<std::string, std::future<bool>>> pending;
    for (const auto& [token, agent] : file.tokens) {
        if (const auto present = store.find_token(token.digest())) {
            if (present->agent == agent) {
                ++outcome.known;
            } else {
                outcome.problems.push_back(core::quote_toml(agent.str()) +
                                           ": its token already belongs to " +
                                           core::quote_toml(present->agent.str()));
            }
            continue;
        }
        // Completions are copied, promises are not.
        const auto done = std::make_shared<std::promise<bool>>();
        pending.emplace_back(agent.str(), done->get_future());
        submissions.push_back(
            {store::CreateToken{agent, token.digest(), token.prefix(), core::Role::agent},
             [done](const store::WriteResult& result) { done->set_value(result.has_value()); },
             store::kNoLoop});
    }
    store.submit(std::move(submissions));
    for (auto& [agent, stored] : pending) {
        if (stored.get()) {
            ++outcome.imported;
        } else {
            outcome.problems.push_back(core::quote_toml(agent) + ": could not be stored");
        }
    }
    return outcome;
}

}  // namespace agentcom::app
