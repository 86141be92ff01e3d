#include "agentcom/cli/hub_client.hpp"

#include <nlohmann/json.hpp>
#include <optional>

#include "agentcom/core/error.hpp"
#include "agentcom/core/version.hpp"
#include "cli/answer_reader.hpp"
#include "cli/connection.hpp"
#include "cli/url.hpp"

namespace agentcom::cli {
namespace {

using Kind = HubError::Kind;

constexpr std::size_t kMaxAnswerBytes = std::size_t{256} << 20;

/// An answer that is still coming.
class OpenAnswer final : public AnswerStream {
public:
    explicit OpenAnswer(std::unique_ptr<Connection> connection)
        : connection_(std::move(connection)), reader_(*connection_, rest_) {}

    [[nodiscard]] const HttpAnswer& head(Deadline deadline) override {
        if (!head_) {
            head_ = reader_.read_head(deadline);
        }
        return *head_;
    }
    Read read(std::string& into, Deadline deadline) override {
        return reader_.read_body(into, deadline);
    }
    void cut() override { connection_->cut(); }

private:
    std::unique_ptr<Connection> connection_;
    std::string rest_;
    AnswerReader reader_;
    std::optional<HttpAnswer> head_;
};

std::string member_text(const nlohmann::json& object, const char* key) {
    const auto found = object.is_object() ? object.find(key) : object.end();
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace

bool HubError::may_pass() const noexcept {
    switch (kind_) {
        case Kind::unreachable:
        case Kind::broken:
        case Kind::late:
            return true;
        case Kind::refused:
            return status_ == 429 || status_ == 502 || status_ == 503 || status_ == 504;
        case Kind::address:
        case Kind::untrusted:
        case Kind::malformed:
            return false;
    }
    return false;
}

HubError refusal(const HttpAnswer& answer) {
    const auto body = nlohmann::json::parse(answer.body, nullptr, false);
    std::string code = member_text(body, "error");
    std::string text = "the hub answers " + std::to_string(answer.status);
    if (!code.empty()) {
        text += ' ' + code;
    }
    if (const std::string message = member_text(body, "message"); !message.empty()) {
        text += ": " + message;
    }
    return HubError(text, answer.status, std::move(code));
}

struct HubClient::Impl {
    Impl(HubAddress where, std::string secret)
        : address(std::move(where)), token(std::move(secret)), url(Url::parse(address.url)) {}

    [[nodiscard]] std::unique_ptr<Connection> connect(Deadline deadline) {
        if (!trust) {
            trust = load_trust(address, url);
        }
        return Connection::open(address, url, trust, deadline);
    }

    [[nodiscard]] std::string text_of(const HttpRequest& request) const {
        std::string text = request.verb + ' ' + url.path + request.target + " HTTP/1.1\r\nHost: " +
                           (address.host.empty() ? url.authority : address.host) +
                           "\r\nUser-Agent: agentcom/" + std::string(core::kVersion);
        if (!token.empty()) {
            text += "\r\nAuthorization: Bearer " + token;
        }
        bool accepts = false;
        for (const auto& [name, value] : request.headers) {
            accepts = accepts || name == "Accept";
            text += "\r\n" + name + ": " + value;
        }
        if (!accepts) {
            text += "\r\nAccept: application/json";
        }
        if (!request.body.empty()) {
            text += "\r\nContent-Type: application/json";
        }
        if (!request.body.empty() || request.verb == "POST" || request.verb == "PUT") {
            text += "\r\nContent-Length: " + std::to_string(request.body.size());
        }
        return text + "\r\n\r\n" + request.body;
    }

    HttpAnswer exchange(const HttpRequest& request, Deadline deadline) {
        std::string rest;
        kept->write(text_of(request), deadline);
        AnswerReader reader(*kept, rest);
        HttpAnswer answer = reader.read_head(deadline);
        for (;;) {
            const auto read = reader.read_body(answer.body, deadline);
            if (read == AnswerStream::Read::end) {
                break;
            }
            if (read == AnswerStream::Read::late) {
                throw HubError(Kind::late, "the hub does not answer in time");
            }
            if (answer.body.size() > kMaxAnswerBytes) {
                throw HubError(Kind::malformed, "the hub's answer is larger than 256 MiB");
            }
        }
        if (!reader.keeps_alive() || !rest.empty()) {
            kept.reset();
        }
        return answer;
    }

    HubAddress address;
    std::string token;
    Url url;
    std::shared_ptr<TlsTrust> trust;
    std::unique_ptr<Connection> kept;
};

HubClient::HubClient(HubAddress address, std::string token)
    : impl_(std::make_unique<Impl>(std::move(address), std::move(token))) {}
HubClient::~HubClient() = default;
HubClient::HubClient(HubClient&&) noexcept = default;
HubClient& HubClient::operator=(HubClient&&) noexcept = default;

HttpAnswer HubClient::send(const HttpRequest& request, Deadline deadline) {
    if (impl_->kept && impl_->kept->is_stale()) {
        impl_->kept.reset();
    }
    const bool reused = impl_->kept != nullptr;
    try {
        if (!impl_->kept) {
            impl_->kept = impl_->connect(deadline);
        }
        return impl_->exchange(request, deadline);
    } catch (const HubError& error) {
        impl_->kept.reset();
        if (!reused || !request.repeatable || error.kind() != Kind::broken) {
            throw;
        }
    }
    try {
        impl_->kept = impl_->connect(deadline);
        return impl_->exchange(request, deadline);
    } catch (const HubError&) {
        impl_->kept.reset();
        throw;
    }
}

std::string HubClient::ask(const HttpRequest& request, Deadline deadline) {
    HttpAnswer answer = send(request, deadline);
    if (answer.status >= 300) {
        throw refusal(answer);
    }
    return std::move(answer.body);
}

std::unique_ptr<AnswerStream> HubClient::open(const HttpRequest& request, Deadline deadline) {
    auto connection = impl_->connect(deadline);
    connection->write(impl_->text_of(request), deadline);
    return std::make_unique<OpenAnswer>(std::move(connection));
}

bool HubClient::reaches(Deadline deadline) noexcept {
    try {
        (void)Connection::open(impl_->address, impl_->url, nullptr, deadline);
        return true;
    } catch (const std::exception&) {
        return false;
    }
}

const std::string& HubClient::url() const noexcept { return impl_->address.url; }

std::string encode_path_segment(std::string_view text) {
    static constexpr std::string_view kHex = "0123456789ABCDEF";
    static constexpr std::string_view kPlain =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (kPlain.find(c) != std::string_view::npos) {
            out += c;
        } else {
            out += '%';
            out += kHex[byte >> 4];
            out += kHex[byte & 15];
        }
    }
    return out;
}

}  // namespace agentcom::cli
