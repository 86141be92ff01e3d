#include "cli/agents/hook_command.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string_view>

#include "cli/agents/hook_input.hpp"
#include "cli/agents/hook_words.hpp"
#include "cli/agents/mail_questions.hpp"
#include "cli/agents/processes.hpp"
#include "cli/agents/session_file.hpp"
#include "cli/agents/waiter.hpp"
#include "cli/token_holder.hpp"

namespace agentcom::cli::agents {
namespace {

constexpr std::size_t kMaxInputBytes = std::size_t{64} << 20;
constexpr int kWake = 2;
constexpr const char* kCodex = "codex";

void write_stream(int stream, std::string_view text) noexcept {
    while (!text.empty()) {
        const auto written = ::write(stream, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
}

/// What is printed when the time is over, wherever the program is then. Text with static storage.
std::string_view silent_output;

extern "C" void end_in_silence(int) {
    write_stream(STDOUT_FILENO, silent_output);
    ::_exit(0);
}

void set_alarm(int millis) {
    const itimerval timer{{0, 0}, {millis / 1'000, (millis % 1'000) * 1'000}};
    ::setitimer(ITIMER_REAL, &timer, nullptr);
}

/// Ends the process after this time, with the dialect's silence.
void limit_time(Dialect dialect, int millis) {
    silent_output = silence(dialect);
    struct sigaction action {};
    action.sa_handler = end_in_silence;
    ::sigaction(SIGALRM, &action, nullptr);
    set_alarm(millis);
}

std::optional<std::string> read_input() {
    std::string text;
    std::array<char, 65'536> piece{};
    while (text.size() < kMaxInputBytes) {
        const auto count = ::read(STDIN_FILENO, piece.data(), piece.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return std::nullopt;
        if (count == 0) return text;
        text.append(piece.data(), static_cast<std::size_t>(count));
    }
    return std::nullopt;
}

/// Whether the client is still there, found out once and looked at again and again.
std::function<bool()> watch_client(Dialect dialect) {
    const char* pid = std::getenv("CLAUDE_PID");
    if (dialect == Dialect::claude && pid != nullptr) {
        if (const auto client = identify_process(std::atoll(pid))) {
            return [process = *client] { return is_running(process); };
        }
    }
    return [parent = ::getppid()] { return ::getppid() == parent; };
}

/// The program that the session runs in.
std::string program_of(const ProcessId& process) {
    std::array<char, 4'096> path{};
    const auto size = ::readlink(("/proc/" + std::to_string(process.pid) + "/exe").c_str(),
                                 path.data(), path.size());
    return size > 0 ? std::string(path.data(), static_cast<std::size_t>(size)) : kCodex;
}

/// Others run the hooks of Claude Code, too, and would wait for the waiter to end. So does Claude
/// Code itself when it is not there for a person (`claude -p`): such a session ends with its turn.
bool may_wait(Dialect dialect) {
    if (dialect != Dialect::claude) return dialect == Dialect::opencode;
    const char* entry = std::getenv("CLAUDE_CODE_ENTRYPOINT");
    return std::getenv("CLAUDECODE") != nullptr &&
           !std::string_view(entry != nullptr ? entry : "").starts_with("sdk");
}

class Hook {
public:
    Hook(Dialect named, Moment moment, const ContextFlags& flags)
        : dialect_(named), moment_(moment), flags_(flags) {}

    int run() {
        const core::Millis time = hook_time();
        const auto deadline = from_now(std::max(time - kHookMargin, core::Millis(1)));
        if (moment_ != Moment::wait) limit_time(dialect_, static_cast<int>(time.count()));
        const auto text = read_input();
        auto input = text ? parse_hook_input(*text, dialect_) : std::nullopt;
        if (!input || input->subagent) return silent();
        input_ = *std::move(input);
        dialect_ = input_.dialect;
        silent_output = silence(dialect_);
        directory_ = state_directory();
        if (directory_.empty()) return silent();
        if (moment_ == Moment::end) {
            end_waiter(directory_, input_.session);
            return silent();
        }
        const Context context = Context::resolve(flags_);
        if (context.token.empty()) return silent();
        HubClient hub(context.hub, context.token);
        agent_ = context.agent;
        if (moment_ == Moment::wait) return may_wait(dialect_) ? wait(hub) : silent();
        return announce(hub, deadline);
    }

    int silent() const {
        set_alarm(0);
        write_stream(STDOUT_FILENO, silence(dialect_));
        return 0;
    }

private:
    int announce(HubClient& hub, Deadline deadline) {
        {
            SessionFile file(directory_, input_.session);
            LocalSession session = file.state();
            session.told = note_turn(input_, moment_, std::move(session.told));
            file.save(session);
        }
        if (agent_.empty()) agent_ = ask_holder(hub, deadline).agent;
        const UnreadMail mail = ask_unread(hub, agent_, deadline);
        std::string output;
        {
            SessionFile file(directory_, input_.session);
            LocalSession session = file.state();
            const Decision decision = decide(input_, moment_, mail, session.told);
            session.told = decision.state;
            // From here on it is said, and not forgotten half-way.
            set_alarm(0);
            file.save(session);
            output = decision.output;
        }
        write_stream(STDOUT_FILENO, output);
        if (moment_ == Moment::start) remove_old_sessions(directory_);
        if (moment_ == Moment::stop && dialect_ == Dialect::codex) wait_apart();
        return 0;
    }

    int wait(HubClient& hub) {
        static constexpr core::Millis kGrace{1'000};
        bool woken = false;
        wait_and_wake(hub, {.directory = directory_,
                            .input = input_,
                            .agent = agent_,
                            .grace = dialect_ == Dialect::claude ? kGrace : core::Millis(0),
                            .alive = watch_client(dialect_),
                            .wake = [&woken](const std::string& text) {
                                write_stream(STDERR_FILENO, text + "\n");
                                woken = true;
                                return true;
                            }});
        return woken ? kWake : 0;
    }

    /// Codex knows no hook that goes on beside an idle session, so one is left behind.
    void wait_apart() {
        // Found while the client is still above this process.
        const auto codex = find_ancestor(kCodex);
        if (!codex || input_.session.starts_with(kTrialSession)) return;
        const std::string program = program_of(*codex);
        if (::fork() != 0) return;
        ::setsid();
        const int nothing = ::open("/dev/null", O_RDWR);
        for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
            ::dup2(nothing, stream);
        }
        try {
            const Context context = Context::resolve(flags_);
            HubClient hub(context.hub, context.token);
            wait_and_wake(hub, {.directory = directory_,
                                .input = input_,
                                .agent = agent_,
                                .grace = core::Millis(0),
                                .alive = [&codex] { return is_running(*codex); },
                                .wake =
                                    [&](const std::string& text) {
                                        return run_quietly(program,
                                                           {"queue", "--thread=" + input_.session,
                                                            "--message=" + text}) == 0;
                                    }});
        } catch (const std::exception&) {
            ::_exit(0);
        }
        ::_exit(0);
    }

    Dialect dialect_;
    Moment moment_;
    ContextFlags flags_;
    HookInput input_;
    std::filesystem::path directory_;
    std::string agent_;
};

}  // namespace

core::Millis hook_time() {
    static constexpr core::Millis kUsual{200};
    const char* text = std::getenv("AGENTCOM_HOOK_TIMEOUT");
    if (text == nullptr) return kUsual;
    const std::string_view digits = text;
    int millis = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), millis);
    static constexpr int kMost = 30'000;
    const bool sound = error == std::errc() && end == digits.data() + digits.size() && millis > 0;
    return sound ? core::Millis(std::min(millis, kMost)) : kUsual;
}

int run_hook(const HookCall& call) noexcept {
    const auto dialect = dialect_named(call.client);
    const auto moment = moment_named(call.moment);
    if (!dialect || !moment) {
        // A client would take any other status for a veto or a failure.
        if (::isatty(STDIN_FILENO) == 0) return 0;
        std::cerr << "agentcom: hook takes a client (" << dialect_list() << "), a moment ("
                  << moment_list() << "), and the client's input on standard input\n";
        return 1;
    }
    Hook hook(*dialect, *moment, call.context);
    try {
        return hook.run();
    } catch (const std::exception&) {
        return hook.silent();
    }
}

}  // namespace agentcom::cli::agents
