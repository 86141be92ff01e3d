#pragma once

#include <set>
#include <utility>

#include "crash/support/party.hpp"

namespace agentcom::test {

/// Makes channels of its own, subscribes, publishes, unsubscribes and deletes them, one step after
/// the other.
class Gardener final : public HttpParty {
public:
    Gardener(Tally& tally, std::string agent, std::string token);

    void send(Random& random) override;
    void verify(const Stored& stored, std::uint16_t port) override;

private:
    struct Bed {
        bool exists = false;
        bool subscribed = false;
        std::size_t published = 0;
        bool operator==(const Bed&) const = default;
    };
    void change(const std::string& verb, const std::string& path, const nlohmann::json* body,
                Bed after);

    std::string agent_;
    std::size_t number_ = 0;  // of the channel; a new name each time
    Doubt<Bed> bed_{Bed{}};
    [[nodiscard]] std::string channel() const { return agent_ + "-" + std::to_string(number_); }
};

/// Makes and revokes tokens, writes settings, evicts, resets, and looks at everything.
class Administrator final : public HttpParty {
public:
    Administrator(Tally& tally, std::string token);

    void send(Random& random) override;
    void verify(const Stored& stored, std::uint16_t port) override;
    void without_resets() noexcept { resets_ = false; }

private:
    struct Issued {
        std::string agent;
        std::string token;  // empty: the answer never came
        Doubt<bool> valid{false};
    };
    void create_token();
    void revoke_token(Issued& issued);
    void write_setting(const std::string& route, const std::string& field, std::uint64_t value,
                       Doubt<std::uint64_t>& setting);
    void read_setting(const std::string& route, const std::string& field,
                      const Doubt<std::uint64_t>& setting);
    void look(std::size_t at);

    std::vector<Issued> issued_;
    Doubt<std::uint64_t> heartbeat_{900'000};
    Doubt<std::uint64_t> retention_{604'800'000};
    bool resets_ = true;
};

}  // namespace agentcom::test
