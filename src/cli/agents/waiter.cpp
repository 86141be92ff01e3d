#include "cli/agents/waiter.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "cli/agents/mail_questions.hpp"
#include "cli/agents/processes.hpp"
#include "cli/agents/session_file.hpp"
#include "cli/token_holder.hpp"

namespace agentcom::cli::agents {
namespace {

using std::chrono::seconds;

constexpr seconds kLife{86'000};  // under the day that the client allows
constexpr seconds kAnswerTime{10};
/// A session that went on as often as it may, and has mail again, is left in peace so long.
constexpr seconds kRest{30};
constexpr seconds kLongestPause{30};

ProcessId waiter_of(const LocalSession& state) { return {state.waiter, state.waiter_started}; }

void end_process(const ProcessId& process) {
    if (process.pid != ::getpid() && is_running(process)) {
        ::kill(static_cast<pid_t>(process.pid), SIGTERM);
    }
}

class Waiter {
public:
    Waiter(HubClient& hub, const Waiting& waiting)
        : hub_(hub),
          waiting_(waiting),
          agent_(waiting.agent),
          self_(identify_process(::getpid()).value_or(ProcessId{})) {}

    void run() {
        const bool tired = claim();
        std::this_thread::sleep_for(tired ? core::Millis(kRest) : waiting_.grace);
        const auto end = from_now(kLife);
        while (std::chrono::steady_clock::now() < end) {
            try {
                if (look()) return;
            } catch (const HubError& error) {
                if (!error.may_pass()) return;
                pause();
            }
        }
    }

private:
    /// True when the turn that ends was made to go on as often as it may.
    bool claim() {
        SessionFile file(waiting_.directory, waiting_.input.session);
        LocalSession state = file.state();
        end_process(waiter_of(state));
        state.waiter = self_.pid;
        state.waiter_started = self_.started;
        file.save(state);
        return state.told.blocks >= kMaxBlocks;
    }

    /// True when there is nothing more to wait for.
    bool look() {
        if (agent_.empty()) agent_ = ask_holder(hub_, from_now(kAnswerTime)).agent;
        const UnreadMail mail = ask_unread(hub_, agent_, from_now(kAnswerTime));
        pause_ = kFirstPause;
        if (!waiting_.alive()) return true;
        LocalSession before;
        std::optional<std::string> text;
        {
            SessionFile file(waiting_.directory, waiting_.input.session);
            before = file.state();
            if (waiter_of(before) != self_) return true;
            Decision decision = decide(waiting_.input, Moment::wait, mail, before.told);
            if (decision.text) {
                file.save({std::move(decision.state)});
                text = std::move(decision.text);
            }
        }
        if (text) {
            if (waiting_.wake(*text)) return true;
            take_back(before, mail);
            pause();
            return false;
        }
        const auto begun = std::chrono::steady_clock::now();
        wait_for_newer(hub_, agent_, mail.newest_seq);
        // Whatever makes polls come back at once, the hub is not asked without end.
        if (std::chrono::steady_clock::now() - begun < kLeastRound) {
            if (++quick_rounds_ > kMostQuickRounds) pause();
        } else {
            quick_rounds_ = 0;
        }
        return false;
    }

    /// It was not announced after all.
    void take_back(const LocalSession& before, const UnreadMail& mail) {
        SessionFile file(waiting_.directory, waiting_.input.session);
        LocalSession state = file.state();
        if (state.told.announced == mail.newest_seq && state.told.epoch == mail.epoch &&
            state.waiter == 0) {
            file.save(before);
        }
    }

    void pause() {
        std::this_thread::sleep_for(pause_);
        pause_ = std::min<core::Millis>(pause_ * 2, kLongestPause);
    }

    static constexpr core::Millis kFirstPause{500};
    static constexpr core::Millis kLeastRound{1'000};
    static constexpr int kMostQuickRounds = 3;

    HubClient& hub_;
    const Waiting& waiting_;
    std::string agent_;
    ProcessId self_;
    core::Millis pause_ = kFirstPause;
    int quick_rounds_ = 0;
};

}  // namespace

void wait_and_wake(HubClient& hub, const Waiting& waiting) { Waiter(hub, waiting).run(); }

void end_waiter(const std::filesystem::path& directory, const std::string& session) {
    SessionFile file(directory, session);
    LocalSession state = file.state();
    end_process(waiter_of(state));
    state.waiter = 0;
    state.waiter_started = 0;
    file.save(state);
}

}  // namespace agentcom::cli::agents
