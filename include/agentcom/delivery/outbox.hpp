#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "agentcom/core/pieces.hpp"
#include "agentcom/core/seq.hpp"
#include "agentcom/core/time.hpp"
#include "agentcom/delivery/fifo.hpp"
#include "agentcom/delivery/output_budget.hpp"

namespace agentcom::delivery {

/// Bytes of one or more complete frames, made once and shared by all who are sent them.
using SharedBytes = core::SharedBytes;

/// Limits of one session's outbox; passing either means the consumer is too slow. An empty outbox
/// takes any one frame, so that whatever was sent can be delivered.
struct OutboxLimits {
    std::size_t max_bytes = std::size_t{8} << 20;
    std::size_t max_frames = 16'384;
};

/// What waits to be written to one socket, in order. Belongs to one event loop's thread. Small
/// frames are copied into a growing chunk, large shared ones are kept by reference, so a flush can
/// gather all of it into few system calls. What it holds is counted by its loop's account.
class Outbox {
public:
    /// Below this size copying a shared frame costs less than another entry in the gather list.
    static constexpr std::size_t kCopyBelow = 1'024;

    /// `account` and `debtor` may be null: nobody counts, or nobody can be foreclosed. Both must
    /// outlive the outbox.
    explicit Outbox(OutboxLimits limits, OutputAccount* account = nullptr,
                    Debtor* debtor = nullptr);
    ~Outbox();
    Outbox(const Outbox&) = delete;
    Outbox& operator=(const Outbox&) = delete;

    /// Appends complete frames. `seq` is that of the message pushed in them, or 0. False (and
    /// nothing appended) when a limit is passed; `force` appends regardless (replies, control
    /// frames: their number is bounded by the requests in flight).
    bool append(std::string_view frames, core::Seq seq = {}, bool force = false);
    /// The memory of the frames is counted by whoever made them, see `share`.
    bool append_shared(const SharedBytes& frames, core::Seq seq = {});
    /// The same of a part of them: complete frames.
    bool append_shared(const SharedBytes& frames, std::string_view part, core::Seq seq = {});
    /// One frame, or one whole answer: the head, then the body, whose pieces are taken over and
    /// which is left empty. Never refused.
    void append_pieces(std::string_view head, core::Pieces& body);

    [[nodiscard]] bool empty() const noexcept { return bytes_ == 0; }
    /// Whether a frame of so many bytes would pass half of a limit. An empty outbox takes any.
    [[nodiscard]] bool is_half_full(std::size_t more) const noexcept { return is_full(more, 2); }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
    [[nodiscard]] std::size_t frames() const noexcept { return frames_; }
    [[nodiscard]] const OutboxLimits& limits() const noexcept { return limits_; }

    /// Fills at most `count` views of what is to be written next; returns how many. They are valid
    /// until the next call.
    std::size_t gather(std::string_view* views, std::size_t count);
    /// All that is to be written, if it is in one piece; empty otherwise. Valid as long as
    /// `gather`'s.
    [[nodiscard]] std::string_view only_piece();
    /// So many of the gathered bytes have been written. Returns the highest message seq that is now
    /// written completely, 0 when none is newly so.
    core::Seq consume(std::size_t written);
    /// Drops everything that has not begun to be written (the rest of what has begun stays).
    void drop_unsent();
    /// Drops everything; nothing may be written to the socket any more.
    void clear();

    /// Bytes that will be appended later, and until then are held elsewhere for the same debtor.
    void reserve(std::size_t bytes);
    void release(std::size_t bytes);
    [[nodiscard]] std::size_t reserved() const noexcept { return reserved_; }
    /// All that waits because this consumer does not take it.
    [[nodiscard]] std::size_t debt() const noexcept { return bytes_ + reserved_; }

    /// Pays for what others owe, too: to be called after appending, when no outbox is in the middle
    /// of a change. May foreclose this one.
    void settle() {
        if (account_ != nullptr && account_->overdrawn()) account_->relieve();
    }
    void foreclose() {
        if (debtor_ != nullptr) debtor_->foreclose();
    }

    /// Whether something that was appended `limit` ago, or earlier, still waits. To be called when
    /// bytes are appended to an empty outbox, and every now and then: each call remembers, at most
    /// every eighth of the limit, how much had been appended by `now`.
    [[nodiscard]] bool is_overdue(core::SteadyTime now, core::Millis limit);

private:
    friend class OutputAccount;
    struct Chunk {
        std::string owned;  // used when `shared` is empty
        SharedBytes shared;
        std::string_view part;     // of what is shared
        std::uint32_t frames = 0;  // that end in it
        bool growing = false;      // small frames may join it
        bool counted_by_owner = false;
        core::Seq last_seq;
        [[nodiscard]] std::string_view view() const noexcept {
            return shared ? part : std::string_view(owned);
        }
    };
    /// What had been appended at some time.
    struct Checkpoint {
        std::uint64_t appended = 0;
        core::SteadyTime at;
    };

    /// `part`: so many parts have the limits, of which one may be taken.
    [[nodiscard]] bool is_full(std::size_t more, std::size_t part = 1) const noexcept {
        return bytes_ != 0 &&
               (bytes_ + more > limits_.max_bytes / part || frames_ >= limits_.max_frames / part);
    }
    Chunk& growing_chunk();
    /// `first`: the place of the frame's first chunk.
    void append_piece(core::Piece&& piece, std::size_t first);
    void grown(std::size_t bytes, std::size_t owned);
    void shrunk(const Chunk& chunk);
    void reclassify();

    OutboxLimits limits_;
    OutputAccount* account_;
    Debtor* debtor_;
    Fifo<Chunk, 4> chunks_;
    Fifo<Checkpoint, 2> checkpoints_;
    std::size_t offset_ = 0;  // bytes of the front chunk already written
    std::size_t bytes_ = 0;   // not yet written
    std::size_t frames_ = 0;
    std::size_t reserved_ = 0;
    std::uint64_t appended_ = 0;  // bytes, ever
    std::size_t debtor_place_ = 0;
    unsigned debt_class_ = 0;
    bool mid_frame_ = false;  // the beginning of the frame in the front chunk has been written
};

}  // namespace agentcom::delivery
