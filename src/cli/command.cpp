#include "cli/command.hpp"

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "cli/message_view.hpp"
#include "cli/terminal_text.hpp"
#include "cli/token_holder.hpp"

namespace agentcom::cli {

Hub::Hub(const ClientFlags& flags)
    : context_(Context::resolve(flags)), client_(context_.hub, context_.token) {}

const std::string& Hub::agent() {
    require_token(context_);
    if (context_.agent.empty()) {
        context_.agent = ask_holder(client_, from_now(kRequestTime)).agent;
    }
    return context_.agent;
}

void require_token(const Context& context) {
    if (context.token.empty()) {
        throw CommandError(kNoAccess,
                           "there is no token for the hub at " + context.hub.url +
                               "; set AGENTCOM_TOKEN, or store one with `agentcom context add`");
    }
}

std::string Hub::mailbox(std::string_view rest) {
    return "/api/mailbox/" + encode_path_segment(agent()) + std::string(rest);
}

std::string Hub::get(const std::string& target, core::Millis time) {
    return client_.ask({.verb = "GET", .target = target}, from_now(time));
}

std::string Hub::post(const std::string& target, const std::string& body, core::Millis time) {
    return client_.ask({.verb = "POST", .target = target, .body = body}, from_now(time));
}

Query& Query::add(const char* name, const std::optional<std::int64_t>& value) {
    return value ? add(name, std::to_string(*value)) : *this;
}

Query& Query::add(const char* name, const std::string& value) {
    if (!value.empty()) {
        text_ += text_.empty() ? '?' : '&';
        text_ += name + ('=' + encode_path_segment(value));
    }
    return *this;
}

int status_of(const HubError& error) noexcept {
    if (error.kind() == HubError::Kind::address) {
        return kProblem;
    }
    if (error.kind() != HubError::Kind::refused) {
        return kUnreachable;
    }
    if (error.status() == 401) {
        return kNoAccess;
    }
    // A hub that is full stays so for a while, but not for good.
    return error.may_pass() || error.status() == 507 ? kTryLater : kRefused;
}

std::string advice_for(const HubError& error) {
    std::string text = printable_line(error.what());
    switch (error.kind()) {
        case HubError::Kind::unreachable:
            return text + "; --url, AGENTCOM_URL or a context say where the hub is";
        case HubError::Kind::untrusted:
            return text + "; --ca-file names a file with the certificate to trust";
        default:
            break;
    }
    if (error.status() == 401) {
        return "the hub does not accept the token, or there is none; set AGENTCOM_TOKEN, or store "
               "one with `agentcom context add`";
    }
    return text;
}

int run_guarded(const std::function<int()>& run) {
    try {
        const int status = run();
        flush_output();
        return status;
    } catch (const CommandError& error) {
        if (*error.what() != '\0') {
            note(error.what());
        }
        return error.status();
    } catch (const HubError& error) {
        note(advice_for(error));
        return status_of(error);
    } catch (const std::exception& error) {
        note(error.what());
        return kProblem;
    }
}

namespace {

[[noreturn]] void fail_output(int error) {
    throw CommandError(kProblem, error == EPIPE ? ""
                                                : "cannot write to standard output: " +
                                                      std::system_category().message(error));
}

}  // namespace

void print(std::string_view text) {
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) {
        fail_output(errno);
    }
}

void flush_output() {
    if (std::fflush(stdout) != 0) {
        fail_output(errno);
    }
}

void note(std::string_view text) {
    const std::string line = "agentcom: " + printable_line(text) + '\n';
    (void)std::fwrite(line.data(), 1, line.size(), stderr);
}

std::string show_message(JsonView message, bool json) {
    const MessageView view(message);
    return json ? view.json() : view.text();
}

void add_context_flags(CLI::App& command, ContextFlags& flags) {
    const auto add = [&](const char* name, std::string& value, const char* text, const char* type) {
        command.add_option(name, value, text)->type_name(type)->group(kContextGroup);
    };
    add("--context", flags.context, "Stored context to use", "NAME");
    add("--url", flags.url, "Where the hub is, for instance https://hub.example.org", "URL");
    add("--token-file", flags.token_file, "File with the token; - is standard input", "FILE");
    add("--ca-file", flags.ca_file, "Certificates (PEM) to trust instead of the system's", "FILE");
}

}  // namespace agentcom::cli
