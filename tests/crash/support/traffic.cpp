#include "crash/support/traffic.hpp"

#include <gtest/gtest.h>

#include <array>
#include <stdexcept>
#include <utility>

#include "crash/support/keepers.hpp"
#include "crash/support/senders.hpp"

namespace agentcom::test {
namespace {

const std::vector<std::string> kChannels{"c0", "c1", "c2", "toggled"};
constexpr int kReaders = 3;
constexpr int kFrameSenders = 3;
constexpr int kHttpSenders = 2;
constexpr int kGardeners = 2;

std::string reader(int i) { return "reader-" + std::to_string(i); }

/// What each reader subscribes to before anything is published.
std::set<std::string> subscriptions(int i) {
    switch (i) {
        case 0:
            return {"c0", "c1"};
        case 1:
            return {"c1", "c2", "toggled"};
        default:
            return {};
    }
}

class Setup {
public:
    Setup(std::uint16_t port, std::string admin_token)
        : port_(port), admin_(port, std::move(admin_token)) {}

    std::string token(const std::string& agent) {
        return expect(admin_.post("/admin/tokens", {{"agent_id", agent}}), 201).at("token");
    }
    void channel(const std::string& name) {
        expect(admin_.post("/api/channels", {{"name", name}}), 201);
    }
    void subscribe(const std::string& token, const std::string& channel) {
        HttpClient http(port_, token);
        expect(http.post("/api/channels/" + channel + "/subscribe", nlohmann::json::object()), 200);
    }

private:
    static nlohmann::json expect(const HttpClient::Response& answer, int status) {
        if (answer.status != status) throw std::runtime_error("set-up: " + answer.body);
        return answer.json();
    }
    std::uint16_t port_;
    HttpClient admin_;
};

bool is_alive(std::uint16_t port) {
    try {
        HttpClient(port).get("/health");
        return true;
    } catch (const std::runtime_error&) {
        return false;
    }
}

}  // namespace

struct Traffic::Cast {
    std::vector<std::unique_ptr<Party>> parties;
    std::vector<FrameSender*> frame_senders;
    std::vector<HttpSender*> http_senders;
    Administrator* administrator = nullptr;

    template <class Kind, class... Parts>
    Kind* add(Parts&&... parts) {
        auto party = std::make_unique<Kind>(std::forward<Parts>(parts)...);
        Kind* kept = party.get();
        parties.push_back(std::move(party));
        return kept;
    }
};

Traffic::Traffic(std::uint64_t seed, std::uint16_t port, std::string admin_token)
    : random_(seed), admin_token_(std::move(admin_token)), cast_(std::make_unique<Cast>()) {
    Setup setup(port, admin_token_);
    for (const std::string& channel : kChannels) setup.channel(channel);
    std::vector<std::string> recipients;
    for (int i = 0; i < kReaders; ++i) {
        const std::string token = setup.token(reader(i));
        for (const std::string& channel : subscriptions(i)) setup.subscribe(token, channel);
        recipients.push_back(reader(i));
        MailboxLedger ledger(reader(i), subscriptions(i));
        if (i == 1) {
            cast_->add<AcksReader>(tally_, token, std::move(ledger));
        } else {
            cast_->add<PollingReader>(tally_, token, std::move(ledger));
        }
    }
    recipients.emplace_back("nobody-yet");  // has no token
    const std::vector<std::string> published{"c0", "c1", "c2"};
    for (int i = 0; i < kFrameSenders; ++i) {
        const std::string agent = "frames-" + std::to_string(i);
        cast_->frame_senders.push_back(cast_->add<FrameSender>(
            tally_, setup.token(agent), Stream(agent, recipients, published), "toggled"));
    }
    for (int i = 0; i < kHttpSenders; ++i) {
        const std::string agent = "bodies-" + std::to_string(i);
        cast_->http_senders.push_back(cast_->add<HttpSender>(tally_, setup.token(agent),
                                                             Stream(agent, recipients, kChannels)));
    }
    for (int i = 0; i < kGardeners; ++i) {
        const std::string agent = "gardener-" + std::to_string(i);
        cast_->add<Gardener>(tally_, agent, setup.token(agent));
    }
    cast_->administrator = cast_->add<Administrator>(tally_, admin_token_);
}

Traffic::~Traffic() = default;

void Traffic::without_resets() { cast_->administrator->without_resets(); }

void Traffic::connect(std::uint16_t port) {
    port_ = port;
    for (const auto& party : cast_->parties) party->connect(port);
}

bool Traffic::run(std::size_t answers) {
    std::size_t received = 0;
    while (received < answers) {
        Party& party = *cast_->parties[random_.below(cast_->parties.size())];
        try {
            const bool full = party.in_flight() == party.window();
            if (full || (party.in_flight() > 0 && random_.one_in(3))) {
                party.receive();
                ++received;
            } else {
                party.send(random_);
            }
        } catch (const std::runtime_error&) {
            if (!reconnect(party)) return false;
        }
    }
    return true;
}

bool Traffic::reconnect(Party& party) {
    try {
        party.connect(port_);
        return true;
    } catch (const std::runtime_error&) {
        if (is_alive(port_)) throw;
        return false;
    }
}

void Traffic::drain() {
    for (const auto& party : cast_->parties) {
        try {
            while (party->in_flight() > 0) party->receive();
        } catch (const std::runtime_error&) {
            continue;  // that was all
        }
    }
}

void Traffic::finish() {
    for (const auto& party : cast_->parties) {
        try {
            while (party->in_flight() > 0) party->receive();
        } catch (const std::runtime_error&) {
            if (!reconnect(*party)) throw;
        }
    }
}

void Traffic::verify(std::uint16_t port) {
    const Stored stored(port, admin_token_);
    ASSERT_NO_FATAL_FAILURE(stored.verify(kChannels));
    for (const auto& party : cast_->parties) {
        ASSERT_NO_FATAL_FAILURE(party->verify(stored, port));
    }
    for (const FrameSender* sender : cast_->frame_senders) {
        ASSERT_NO_FATAL_FAILURE(stored.verify_thread(sender->stream().first_id()));
    }
}

std::size_t Traffic::acknowledged_messages() const {
    std::size_t count = 0;
    for (const FrameSender* sender : cast_->frame_senders) {
        count += sender->stream().acknowledgements();
    }
    for (const HttpSender* sender : cast_->http_senders) {
        count += sender->stream().acknowledgements();
    }
    return count;
}

std::vector<std::string> roomy_settings() {
    return {"AGENTCOM_MAILBOX_CAP=100000", "AGENTCOM_HISTORY_MESSAGES=1000000",
            "AGENTCOM_HISTORY_CHANNEL_MESSAGES=1000000", "AGENTCOM_SETTINGS_RESET_COOLDOWN=0",
            "AGENTCOM_LIMITS_WORK_PER_SECOND=0",
            // None of them reads any more when the hub says goodbye.
            "AGENTCOM_LIMITS_CLOSE_TIMEOUT=50ms", "AGENTCOM_SERVER_THREADS=2"};
}

}  // namespace agentcom::test
