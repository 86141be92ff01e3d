#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agentcom/core/seq.hpp"

namespace agentcom::store {

/// Under which epochs the store's numbers were given out. One, unless it was restored from a copy:
/// what the copy held keeps its ids, and what comes after gets ids under a new epoch, unlike those
/// that the original store gave to other messages of the same numbers.
class Epochs {
public:
    /// Beyond, the oldest is forgotten, and its messages take ids of the next.
    static constexpr std::size_t kMaxEarlier = 64;

    /// A store that was never restored.
    Epochs(core::Epoch only) : newest_(only) {}
    /// The values in `meta`; throws DamagedStore.
    [[nodiscard]] static Epochs parse(std::string_view newest,
                                      std::optional<std::string_view> earlier);
    /// Of the earlier ones; empty when there are none.
    [[nodiscard]] std::string encode_earlier() const;

    [[nodiscard]] core::Epoch newest() const noexcept { return newest_; }
    [[nodiscard]] core::MessageId id_of(core::Seq seq) const noexcept;
    /// Nothing when the text is no id that this store gives.
    [[nodiscard]] std::optional<core::Seq> seq_of(std::string_view id) const noexcept;

    /// What comes after `head` belongs to another epoch, drawn here.
    void begin_another(core::Seq head);

private:
    struct Earlier {
        core::Epoch epoch;
        core::Seq last;
    };
    [[nodiscard]] core::Epoch epoch_of(core::Seq seq) const noexcept;

    core::Epoch newest_;
    std::vector<Earlier> earlier_;  // oldest first
};

}  // namespace agentcom::store
