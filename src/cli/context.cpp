#include "cli/context.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <stdexcept>

#include "agentcom/core/token.hpp"
#include "cli/context_file.hpp"

namespace agentcom::cli {
namespace {

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr ? value : "";
}

std::string first_of(const std::string& flag, const std::string& otherwise) {
    return flag.empty() ? otherwise : flag;
}

/// The stored context that was asked for, or the one in use; empty when there is none.
StoredContext stored_context(const std::string& wanted, std::string& name) {
    const auto path = [&]() -> std::filesystem::path {
        try {
            return ContextFile::default_path();
        } catch (const std::runtime_error&) {
            if (!wanted.empty()) {
                throw;
            }
            return {};
        }
    }();
    if (path.empty()) {
        return {};
    }
    const ContextFile file = ContextFile::read(path);
    name = first_of(wanted, file.current);
    if (name.empty()) {
        return {};
    }
    const auto found = file.contexts.find(name);
    if (found == file.contexts.end()) {
        throw std::runtime_error("there is no context " + name +
                                 "; `agentcom context list` shows those there are");
    }
    return found->second;
}

/// The first line that holds something, without the blanks around it.
std::string first_line(std::istream& stream) {
    std::string text;
    std::string line;
    while (text.empty() && std::getline(stream, line)) {
        text = core::trim_token(line);
    }
    return text;
}

}  // namespace

std::string without_slash(std::string url) {
    while (url.ends_with('/')) {
        url.pop_back();
    }
    return url;
}

std::string checked_token(const std::string& text, const std::string& from) {
    if (!core::Token::parse(text)) {
        throw std::runtime_error("what " + from +
                                 " holds is no token (64 digits from 0 to 9 and a to f)");
    }
    return text;
}

std::string token_variable() { return core::trim_token(variable("AGENTCOM_TOKEN")); }

std::string read_token(const std::string& file) {
    if (file == "-") {
        return checked_token(first_line(std::cin), "standard input");
    }
    std::ifstream stream(file);
    if (!stream) {
        throw std::runtime_error("cannot read the file " + file);
    }
    return checked_token(first_line(stream), "the file " + file);
}

Context Context::resolve(const ContextFlags& flags) {
    Context context;
    // A context that is asked for by a flag is meant as a whole.
    const auto from_environment = [&](const char* name) {
        return flags.context.empty() ? variable(name) : std::string();
    };
    const std::string wanted = first_of(flags.context, variable("AGENTCOM_CONTEXT"));
    const std::string given_url = first_of(flags.url, from_environment("AGENTCOM_URL"));
    const std::string given_token = flags.context.empty() ? token_variable() : "";
    // Who says everything needs no file, and is not held up by one that is broken.
    const bool complete = flags.context.empty() && !given_url.empty() &&
                          (!flags.token_file.empty() || !given_token.empty());
    const StoredContext stored = complete ? StoredContext{} : stored_context(wanted, context.name);
    context.hub.url = without_slash(first_of(given_url, first_of(stored.url, kDefaultUrl)));
    const std::string ca_file =
        first_of(flags.ca_file, first_of(from_environment("AGENTCOM_CA_FILE"), stored.ca_file));
    if (!ca_file.empty()) {
        // It may be stored, and be needed in another directory.
        context.hub.ca_file = std::filesystem::absolute(ca_file).string();
    }
    const bool own_hub = context.hub.url == stored.url;
    if (!own_hub) {
        context.name.clear();
    }
    if (!flags.token_file.empty()) {
        context.token = read_token(flags.token_file);
    } else if (!given_token.empty()) {
        context.token = checked_token(given_token, "the variable AGENTCOM_TOKEN");
        context.agent = variable("AGENTCOM_AGENT");
    } else if (own_hub && !stored.token.empty()) {
        context.token = checked_token(stored.token, "the context " + context.name);
        context.agent = stored.agent;
    }
    return context;
}

}  // namespace agentcom::cli
