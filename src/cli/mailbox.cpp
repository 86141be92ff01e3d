#include "cli/mailbox.hpp"

#include <algorithm>
#include <thread>

#include "agentcom/core/token.hpp"

namespace agentcom::cli {
namespace {

constexpr core::Millis kFirstPause{250};
constexpr core::Millis kLongestPause{15'000};

/// Half of it at least, so that a thousand clients do not come back in one moment.
core::Millis scattered(core::Millis pause) {
    const auto half = static_cast<std::uint64_t>(pause.count() / 2);
    return core::Millis(static_cast<std::int64_t>(half + core::random_u64() % (half + 1)));
}

}  // namespace

void MailFollower::connect(Deadline deadline) {
    const Deadline opened_by =
        std::max(from_now(core::Millis{1'000}), std::min(deadline, from_now(kRequestTime)));
    stream_.emplace(hub_.client(), hub_.mailbox("/stream" + Query().add("since", since_).str()),
                    opened_by);
    if (trouble_) {
        note("connected again");
    }
    trouble_.reset();
    was_connected_ = true;
    pause_ = core::Millis{0};
}

void MailFollower::lose(const HubError& error) {
    stream_.reset();
    if (!error.may_pass() || !was_connected_) {
        throw error;
    }
    if (!trouble_) {
        note(std::string(error.what()) + "; trying again");
    }
    trouble_ = error;
    pause_ = std::clamp(pause_ * 2, kFirstPause, kLongestPause);
}

std::optional<Event> MailFollower::next(Deadline deadline) {
    for (;;) {
        try {
            if (!stream_) {
                const Deadline again = from_now(scattered(pause_));
                std::this_thread::sleep_until(std::min(again, deadline));
                if (deadline < again) {
                    return std::nullopt;
                }
                connect(deadline);
            }
            auto event = stream_->next(deadline);
            if (!event) {
                return std::nullopt;
            }
            if (event->name == "reset") {
                since_.reset();  // it was a number of another store
            }
            if (event->id) {
                since_ = JsonView(*event->id).number();
            }
            return event;
        } catch (const HubError& error) {
            lose(error);
        }
    }
}

void MailFollower::require_connection() const {
    if (trouble_) {
        throw *trouble_;
    }
}

}  // namespace agentcom::cli
