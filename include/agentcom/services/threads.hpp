#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "agentcom/store/store.hpp"

namespace agentcom::services {

/// Reply trees. Every message knows its root since it was stored, so no walk ever follows a chain.
/// What is read may take several turns of the loop: it is complete when there is no more, or when
/// the budget is full. What the viewer may not see is left out, message by message. Thread-safe.
class Threads {
public:
    explicit Threads(const store::Store& store) : store_(store) {}

    [[nodiscard]] std::string root(std::string_view message_id,
                                   const std::optional<store::Viewer>& viewer) const {
        return store_.thread_root(message_id, viewer);
    }
    /// The next messages of the thread after `cursor`, oldest first.
    [[nodiscard]] store::MessagePage read(std::string_view root, core::Seq cursor,
                                          core::Budget& budget,
                                          const std::optional<store::Viewer>& viewer) const {
        return store_.thread(root, cursor, budget, viewer);
    }
    /// The next direct replies to the message after `cursor`, oldest first.
    [[nodiscard]] store::MessagePage read_replies(
        std::string_view message_id, core::Seq cursor, core::Budget& budget,
        const std::optional<store::Viewer>& viewer) const {
        return store_.replies(message_id, cursor, budget, viewer);
    }

private:
    const store::Store& store_;
};

}  // namespace agentcom::services
