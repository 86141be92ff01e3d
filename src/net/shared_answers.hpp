#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "agentcom/core/pieces.hpp"
#include "agentcom/delivery/output_budget.hpp"
#include "agentcom/protocol/replies.hpp"

namespace agentcom::net {

/// The texts of the replies whose page many are given (protocol::Shared), each made once for all
/// who ask within a moment. For one event loop's thread. Keeps few texts, the newest ones, and none
/// after `forget`; who sends one keeps it alive.
class SharedAnswers {
public:
    explicit SharedAnswers(delivery::OutputBudget* budget) : budget_(budget) {}

    using Text = std::shared_ptr<const core::Pieces>;
    /// The body of the HTTP answer, whose status is 200; null when the reply's page is its own.
    [[nodiscard]] Text body(const protocol::Reply& reply);
    /// The frame up to where a `ref` may follow, see `protocol::encode_frame_front`; null likewise.
    [[nodiscard]] Text frame_front(const protocol::Reply& reply);

    void forget() { entries_.clear(); }

private:
    struct Entry {
        std::shared_ptr<const void> page;  // kept, so that no other gets its address
        Text body;
        Text front;
        [[nodiscard]] std::size_t bytes() const noexcept {
            return (body ? body->size() : 0) + (front ? front->size() : 0);
        }
    };
    Entry& entry(std::shared_ptr<const void> page);
    void make_room();

    delivery::OutputBudget* budget_;
    std::vector<Entry> entries_;  // the newest last
};

}  // namespace agentcom::net
