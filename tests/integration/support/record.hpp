#pragma once

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace agentcom::test {

/// One message as its reader was shown it, whichever way that was.
struct Letter {
    std::string id;
    std::uint64_t seq = 0;
    std::string from;

    [[nodiscard]] static Letter of(const nlohmann::json& message) {
        return {.id = message.at("id"), .seq = message.at("seq"), .from = message.at("from")};
    }
};

/// What an agent has handled, kept outside of its process as a file of its own would be, so that it
/// is there when the process is killed and comes back. "Handled" means: read with its body, acted
/// upon, and entered here. Only then is a message acknowledged; what is shown again in between is
/// known by its id.
class Record {
public:
    [[nodiscard]] bool has(const std::string& id) const {
        return std::ranges::find(handled_, id, &Letter::id) != handled_.end();
    }
    /// Enters a message that was handled now.
    void enter(const Letter& letter) { handled_.push_back(letter); }
    void note_repetition(const Letter& letter) { repeated_.push_back(letter.id); }

    /// In the order they were handled.
    [[nodiscard]] const std::vector<Letter>& handled() const noexcept { return handled_; }
    /// Shown once more after they had been handled.
    [[nodiscard]] const std::vector<std::string>& repeated() const noexcept { return repeated_; }

private:
    std::vector<Letter> handled_;
    std::vector<std::string> repeated_;
};

}  // namespace agentcom::test
