#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "agentcom/store/store.hpp"
#include "agentcom/store/write_ops.hpp"

/// Write operations as bytes: what the journal holds, and whoever else is to apply the same
/// operations in the same order (docs/storage_format.md draws it). DO NOT CHANGE what is encoded
/// without another version: these bytes are on disk.
namespace agentcom::store {

inline constexpr std::uint8_t kOperationCodecVersion = 1;

/// When a batch is applied. It travels with the batch, so that applying it needs no clock.
struct BatchTime {
    core::Timestamp shown;        // by messages
    core::Timestamp stored;       // by the store's own time
    core::Timestamp wall;         // this and what follows: where the store's time goes on from
    std::int64_t elapsed_ms = 0;  // core::Clock::elapsed
    std::uint64_t boot = 0;       // core::Clock::boot
    auto operator<=>(const BatchTime&) const = default;
};

/// What else decides an operation's outcome, besides the state that it is applied to.
struct ApplyRules {
    Quotas quotas{};
    core::Millis idempotency_window{0};
    std::uint64_t max_idempotency_keys = 0;
    std::uint64_t channel_history = 0;
};

/// Operations that are applied together, one after the other, to a state with this head.
struct OperationBatch {
    std::uint64_t origin = 0;  // number of the hub that accepted it; 0: the only one
    BatchTime time;
    ApplyRules rules;
    core::Seq head;
    std::vector<WriteOp> operations;
};

/// Cannot be decoded: cut, damaged, of a later version, or with an operation that this program does
/// not know. `what()` is a sentence.
class UnknownOperation : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Writes a batch into one buffer, which is reused. Used by one thread at a time.
class BatchEncoder {
public:
    void begin(std::uint64_t origin, const BatchTime& time, const ApplyRules& rules,
               core::Seq head);
    void add(const WriteOp& op);
    /// An AppendMessage whose draft has moved elsewhere.
    void add(const AppendMessage& op, const core::Draft& draft);
    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
    /// Valid until `begin`.
    [[nodiscard]] std::string_view bytes() const noexcept { return bytes_; }

private:
    std::string bytes_;
    std::uint64_t count_ = 0;
};

/// Throws UnknownOperation. What it gives is valid: names have passed their grammars.
[[nodiscard]] OperationBatch decode_batch(std::string_view bytes);

}  // namespace agentcom::store
