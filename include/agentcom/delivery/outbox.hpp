#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "agentcom/core/seq.hpp"
#include "agentcom/delivery/fifo.hpp"

namespace agentcom::delivery {

/// Bytes of one or more complete WebSocket frames, made once and shared by all who are sent them.
using SharedBytes = std::shared_ptr<const std::string>;

/// Appends an unmasked, final WebSocket text frame (RFC 6455, 5.2) with this payload.
void append_text_frame(std::string& out, std::string_view payload);

/// Limits of one session's outbox; passing either means the consumer is too slow.
struct OutboxLimits {
    std::size_t max_bytes = std::size_t{8} << 20;
    std::size_t max_frames = 16'384;
};

/// What waits to be written to one socket, in order. Belongs to one event loop's thread. Small
/// frames are copied into a growing chunk, large shared ones are kept by reference, so a flush can
/// gather all of it into few system calls.
class Outbox {
public:
    explicit Outbox(OutboxLimits limits) : limits_(limits) {}

    /// Appends complete frames. `seq` is that of the message pushed in them, or 0. False (and
    /// nothing appended) when a limit is passed; `force` appends regardless (replies, control
    /// frames: their number is bounded by the requests in flight).
    bool append(std::string_view frames, core::Seq seq = {}, bool force = false);
    bool append_shared(const SharedBytes& frames, core::Seq seq = {});

    [[nodiscard]] bool empty() const noexcept { return bytes_ == 0; }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
    [[nodiscard]] std::size_t frames() const noexcept { return frames_; }
    [[nodiscard]] const OutboxLimits& limits() const noexcept { return limits_; }

    /// Fills at most `count` views of what is to be written next; returns how many. They are valid
    /// until the next call.
    std::size_t gather(std::string_view* views, std::size_t count);
    /// So many of the gathered bytes have been written. Returns the highest message seq that is now
    /// written completely, 0 when none is newly so.
    core::Seq consume(std::size_t written);
    /// Drops everything that has not begun to be written (the rest of a begun chunk stays).
    void drop_unsent();

private:
    struct Chunk {
        std::string owned;  // used when `shared` is empty
        SharedBytes shared;
        std::uint32_t frames = 0;
        core::Seq last_seq;
        [[nodiscard]] std::string_view view() const noexcept {
            return shared ? std::string_view(*shared) : std::string_view(owned);
        }
    };

    OutboxLimits limits_;
    Fifo<Chunk, 4> chunks_;
    std::size_t offset_ = 0;  // bytes of the front chunk already written
    std::size_t bytes_ = 0;   // not yet written
    std::size_t frames_ = 0;
};

}  // namespace agentcom::delivery
