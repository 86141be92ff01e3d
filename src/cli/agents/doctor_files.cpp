#include "cli/agents/doctor_files.hpp"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <stdexcept>

#include "cli/agents/connect_command.hpp"
#include "cli/agents/installed_file.hpp"
#include "cli/agents/json_text.hpp"
#include "cli/agents/toml_text.hpp"
#include "cli/command.hpp"
#include "cli/terminal_text.hpp"

namespace agentcom::cli::agents {
namespace {

namespace fs = std::filesystem;

class FileExaminer {
public:
    FileExaminer(Dialect dialect, Scope scope, const Places& places, const StoredContext& stored,
                 DoctorReport& report)
        : dialect_(dialect), scope_(scope), places_(places), stored_(stored), report_(report) {}

    std::vector<HookCommand> run() {
        look_at_entry();
        look_at_hooks();
        if (dialect_ == Dialect::codex) look_at_trust();
        if (dialect_ == Dialect::claude) look_whether_hooks_run();
        compare_with_connect();
        return hooks_;
    }

private:
    /// A finding about a file, with which nothing else is compared.
    void bad(const fs::path& file, const std::string& text) {
        faulty_.insert(file);
        report_.bad(file.string() + text);
    }

    /// Lets `use` read the text; a file that cannot be used is told of once.
    void look(const fs::path& file, const std::function<void(const std::string&)>& use) {
        if (unusable_.contains(file)) return;
        try {
            use(read_config_file(file));
            return;
        } catch (const Malformed& error) {
            bad(file, std::string(" ") + error.what());
        } catch (const std::runtime_error& error) {
            faulty_.insert(file);
            report_.bad(error.what());
        }
        unusable_.insert(file);
    }

    void look_at_entry() {
        const fs::path file = entry_file(dialect_, scope_, places_);
        look(file, [&](const std::string& text) {
            const std::string url = installed_url(dialect_, scope_, places_, text);
            if (url == stored_.url + "/mcp") {
                report_.good(file.string() + " names " + url);
            } else {
                bad(file, url.empty() ? " does not name the hub" : " names " + url);
            }
        });
    }

    void look_at_hooks() {
        const fs::path file = hook_file(dialect_, scope_, places_);
        look(file, [&](const std::string& text) {
            hooks_ = installed_hooks(dialect_, text);
            if (hooks_.empty()) {
                bad(file, " holds no hooks of agentcom");
            } else {
                report_.good(file.string() + " holds " + std::to_string(hooks_.size()) +
                             (hooks_.size() == 1 ? " hook" : " hooks"));
            }
        });
    }

    void look_at_trust() {
        if (hooks_.empty()) return;
        const fs::path hooks = hook_file(dialect_, scope_, places_);
        const auto stop = std::find_if(hooks_.begin(), hooks_.end(), [](const HookCommand& hook) {
            return hook.moment == Moment::stop;
        });
        if (stop == hooks_.end()) return bad(hooks, " holds no hook for the end of a turn");
        const std::string key = hooks.string() + ":stop:" + stop->place;
        look(places_.codex / "config.toml", [&](const std::string& text) {
            if (toml_text_at(text, {"hooks", "state", key, "trusted_hash"})) {
                report_.good("codex trusts the hook of the end of a turn");
            } else {
                report_.bad(
                    "codex has not been told to trust the hooks, and skips them: start codex and "
                    "press t");
            }
        });
    }

    /// Claude Code takes the setting from the first of these files that has it.
    void look_whether_hooks_run() {
        for (const fs::path& file : {hook_file(dialect_, Scope::project, places_),
                                     places_.project / ".claude" / "settings.json",
                                     hook_file(dialect_, Scope::user, places_)}) {
            std::optional<bool> off;
            look(file, [&](const std::string& text) {
                const JsonValue value = json_at(text, {"disableAllHooks"});
                if (value.is_boolean()) off = value.get<bool>();
            });
            if (!off) continue;
            if (*off) report_.bad(file.string() + " switches all hooks off (disableAllHooks)");
            return;
        }
    }

    /// What `connect` would change is not as it should be: another token, a header of another name,
    /// a hook that is missing.
    void compare_with_connect() {
        const std::string client(name_of(dialect_));
        const Account account{stored_.url, stored_.token,
                              context_name(client, scope_ == Scope::project ? "project" : "user"),
                              program(),
                              std::any_of(hooks_.begin(), hooks_.end(),
                                          [](const auto& hook) { return hook.command.empty(); })};
        for (const FileChange& change : client_files(dialect_, scope_, places_, account)) {
            if (faulty_.contains(change.path)) continue;
            look(change.path, [&](const std::string& text) {
                if (change.with(text) == text) return;
                bad(change.path, " is not as `agentcom connect " + client +
                                     "` leaves it; with --dry-run that shows the difference");
            });
        }
    }

    /// How the hooks start agentcom.
    [[nodiscard]] std::string program() const {
        for (const HookCommand& hook : hooks_) {
            const std::size_t end = hook.command.find(" hook ");
            if (end != std::string::npos) return hook.command.substr(0, end);
        }
        return "agentcom";
    }

    Dialect dialect_;
    Scope scope_;
    const Places& places_;
    const StoredContext& stored_;
    DoctorReport& report_;
    std::vector<HookCommand> hooks_;
    std::set<fs::path> faulty_;
    std::set<fs::path> unusable_;
};

// Hub, hooks and files say part of it.
void say(const char* word, const std::string& text) { print(word + printable_line(text) + '\n'); }

}  // namespace

void DoctorReport::good(const std::string& text) { say("ok    ", text); }
void DoctorReport::note(const std::string& text) { say("note  ", text); }
void DoctorReport::bad(const std::string& text) {
    ++faults_;
    say("FAIL  ", text);
}

std::vector<HookCommand> examine_files(Dialect dialect, Scope scope, const Places& places,
                                       const StoredContext& stored, DoctorReport& report) {
    return FileExaminer(dialect, scope, places, stored, report).run();
}

}  // namespace agentcom::cli::agents
