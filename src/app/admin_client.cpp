#include "app/admin_client.hpp"

#include <chrono>
#include <stdexcept>
#include <utility>

namespace agentcom::app {
namespace {

constexpr std::chrono::seconds kTimeout{10};
constexpr std::chrono::seconds kConnectTimeout{1};

}  // namespace

cli::HubClient AdminClient::client() const {
    // The hub runs on this machine with this very certificate. After a renewal it may present what
    // the file held before, until it is told to read it again.
    return cli::HubClient({.url = hub_.url,
                           .ca_file = hub_.certificate,
                           .pinned_certificate = hub_.presented,
                           .host = "localhost"},
                          token_);
}

AdminClient::Answer AdminClient::ask(std::string_view verb, std::string_view target,
                                     const std::string& body) const {
    const auto answer = client().send({.verb = std::string(verb),
                                       .target = std::string(target),
                                       .body = body,
                                       .repeatable = false},
                                      cli::from_now(kTimeout));
    if (answer.status >= 400) {
        throw cli::refusal(answer);
    }
    auto json = nlohmann::json::parse(answer.body, nullptr, false);
    if (json.is_discarded()) {
        throw std::runtime_error("the hub at " + hub_.url + " sent an answer that is no JSON");
    }
    return {answer.status, std::move(json)};
}

bool AdminClient::reaches() const noexcept {
    try {
        return client().reaches(cli::from_now(kConnectTimeout));
    } catch (const cli::HubError&) {
        return false;
    }
}

}  // namespace agentcom::app
