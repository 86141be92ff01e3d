#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "agentcom/core/ids.hpp"
#include "agentcom/core/page.hpp"
#include "agentcom/store/records.hpp"
#include "store/log_record.hpp"
#include "store/rows.hpp"
#include "store/transaction.hpp"

namespace agentcom::store {

/// Says of one message after the other whether a viewer may see it. Lives within a transaction.
class Visibility {
public:
    /// Without a viewer everything is visible.
    Visibility(const Transaction& txn, const std::optional<Viewer>& viewer);

    /// A channel that is met for the first time costs some work of the budget.
    [[nodiscard]] bool shows(const RecordView& record, core::Seq seq, core::Budget& budget);

private:
    [[nodiscard]] bool shows_channel(std::string_view channel, core::Seq seq, core::Budget& budget);
    /// From where on the viewer may read the channel; nothing: it may not.
    [[nodiscard]] std::optional<core::Seq> readable_after(std::string_view channel) const;

    const Transaction& txn_;
    const std::optional<Viewer>& viewer_;
    AgentRow row_;
    std::unordered_map<std::string, std::optional<core::Seq>, core::TextHash, core::TextEqual>
        channels_;
};

}  // namespace agentcom::store
