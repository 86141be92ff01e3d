#include "agentcom/delivery/outbox.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace agentcom::delivery {

namespace {

/// A chunk that has grown to this is left alone, so that written chunks free their memory early.
constexpr std::size_t kChunkTarget = core::Pieces::kPieceBytes;
/// A buffer larger than this is not kept for other outboxes.
constexpr std::size_t kSpareBytes = std::size_t{4} * 1024;
/// Nor is one with which those kept would take more than this.
constexpr std::size_t kAllSpareBytes = std::size_t{1} << 20;

/// Buffers of written chunks, used again by the loop's other outboxes: a fan-out that is appended
/// to a thousand of them before the first is written allocates nothing per delivery, and an idle
/// connection keeps nothing. For one thread.
class SpareBuffers {
public:
    std::string take() noexcept {
        if (buffers_.empty()) return {};
        std::string buffer = std::move(buffers_.back());
        buffers_.pop_back();
        bytes_ -= buffer.capacity();
        return buffer;
    }
    void give_back(std::string&& buffer) {
        const std::size_t size = buffer.capacity();
        // What a string holds in itself is no memory that could be used again.
        if (size == std::string().capacity() || size > kSpareBytes) return;
        if (bytes_ + size > kAllSpareBytes) return;
        buffer.clear();
        buffers_.push_back(std::move(buffer));
        bytes_ += size;
    }

private:
    std::vector<std::string> buffers_;
    std::size_t bytes_ = 0;
};

SpareBuffers& spare_buffers() {
    thread_local SpareBuffers buffers;
    return buffers;
}

}  // namespace

Outbox::Outbox(OutboxLimits limits, OutputAccount* account, Debtor* debtor)
    : limits_(limits), account_(account), debtor_(debtor) {}

Outbox::~Outbox() {
    clear();
    release(reserved_);
}

void Outbox::reclassify() {
    const unsigned now = OutputAccount::debt_class(debt());
    if (now == debt_class_) return;
    account_->reclassify(*this, debt_class_, now);
    debt_class_ = now;
}

void Outbox::grown(std::size_t bytes, std::size_t owned) {
    bytes_ += bytes;
    appended_ += bytes;
    if (account_ == nullptr) return;
    account_->take(owned);
    account_->appended(bytes);
    reclassify();
}

void Outbox::shrunk(const Chunk& chunk) {
    frames_ -= chunk.frames;
    if (account_ != nullptr && !chunk.counted_by_owner) account_->give_back(chunk.view().size());
}

void Outbox::reserve(std::size_t bytes) {
    reserved_ += bytes;
    if (account_ == nullptr) return;
    account_->take(bytes);
    account_->appended(bytes);
    reclassify();
}

void Outbox::release(std::size_t bytes) {
    reserved_ -= bytes;
    if (account_ == nullptr) return;
    account_->give_back(bytes);
    reclassify();
}

Outbox::Chunk& Outbox::growing_chunk() {
    // Nothing joins a chunk that has begun to be written, which `drop_unsent` must keep.
    const bool begun = offset_ > 0 && chunks_.size() == 1;
    if (chunks_.empty() || begun || !chunks_.back().growing ||
        chunks_.back().owned.size() >= kChunkTarget) {
        Chunk& chunk = chunks_.push_back({});
        chunk.owned = spare_buffers().take();
        chunk.growing = true;
    }
    return chunks_.back();
}

bool Outbox::append(std::string_view frames, core::Seq seq, bool force) {
    if (!force && is_full(frames.size())) return false;
    Chunk& chunk = growing_chunk();
    chunk.owned.append(frames);
    ++chunk.frames;
    chunk.last_seq = std::max(chunk.last_seq, seq);
    ++frames_;
    grown(frames.size(), frames.size());
    return true;
}

bool Outbox::append_shared(const SharedBytes& frames, core::Seq seq) {
    return append_shared(frames, *frames, seq);
}

bool Outbox::append_shared(const SharedBytes& frames, std::string_view part, core::Seq seq) {
    if (part.size() < kCopyBelow) return append(part, seq);
    if (is_full(part.size())) return false;
    Chunk& chunk = chunks_.push_back({});
    chunk.shared = frames;
    chunk.part = part;
    chunk.counted_by_owner = true;
    chunk.frames = 1;
    chunk.last_seq = seq;
    ++frames_;
    grown(part.size(), 0);
    return true;
}

void Outbox::append_pieces(std::string_view head, core::Pieces& body) {
    ++frames_;
    if (head.size() + body.size() < kCopyBelow) {
        Chunk& chunk = growing_chunk();
        const std::size_t before = chunk.owned.size();
        chunk.owned.append(head);
        for (const core::Piece& piece : body.closed()) chunk.owned.append(piece.view());
        chunk.owned.append(std::as_const(body).open());
        ++chunk.frames;
        body.clear();
        grown(chunk.owned.size() - before, chunk.owned.size() - before);
        return;
    }
    body.close_open();
    // The frame has chunks of its own: where one ends must be known as long as any of it waits.
    const std::size_t first = chunks_.size();
    append_piece(core::Piece{std::string(head), nullptr, false}, first);
    for (core::Piece& piece : body.closed()) append_piece(std::move(piece), first);
    chunks_.back().frames = 1;
    body.clear();
}

void Outbox::append_piece(core::Piece&& piece, std::size_t first) {
    const std::size_t size = piece.view().size();
    if (size == 0) return;
    if (size < kCopyBelow && chunks_.size() > first) {
        std::string& last = chunks_.back().owned;
        if (!chunks_.back().shared && last.size() + size <= kChunkTarget) {
            last.append(piece.view());
            return grown(size, size);
        }
    }
    Chunk& chunk = chunks_.push_back({});
    chunk.owned = std::move(piece.owned);
    chunk.shared = std::move(piece.shared);
    if (chunk.shared) chunk.part = *chunk.shared;
    chunk.counted_by_owner = piece.counted_by_owner;
    grown(size, chunk.counted_by_owner ? 0 : size);
}

std::size_t Outbox::gather(std::string_view* views, std::size_t count) {
    std::size_t filled = 0;
    for (const Chunk& chunk : chunks_) {
        if (filled == count) break;
        std::string_view view = chunk.view();
        if (filled == 0) view.remove_prefix(offset_);
        views[filled++] = view;
    }
    return filled;
}

std::string_view Outbox::only_piece() {
    if (chunks_.size() != 1) return {};
    return chunks_.front().view().substr(offset_);
}

core::Seq Outbox::consume(std::size_t written) {
    core::Seq done;
    bytes_ -= written;
    while (written > 0) {
        Chunk& front = chunks_.front();
        const std::size_t left = front.view().size() - offset_;
        if (written < left) {
            offset_ += written;
            break;
        }
        written -= left;
        offset_ = 0;
        done = std::max(done, front.last_seq);
        mid_frame_ = front.frames == 0;
        shrunk(front);
        spare_buffers().give_back(std::move(front.owned));
        chunks_.pop_front();
    }
    if (account_ != nullptr) reclassify();
    return done;
}

void Outbox::drop_unsent() {
    // A frame that is partly on the wire must be finished, or the peer would read garbage; and so
    // must a chunk, where it is not known how far its frames have gone.
    std::size_t keep = 0;
    if (offset_ > 0 || mid_frame_) {
        while (chunks_[keep].frames == 0) ++keep;
        ++keep;
    }
    while (chunks_.size() > keep) {
        bytes_ -= chunks_.back().view().size();
        shrunk(chunks_.back());
        chunks_.pop_back();
    }
    if (account_ != nullptr) reclassify();
}

void Outbox::clear() {
    while (!chunks_.empty()) {
        shrunk(chunks_.back());
        chunks_.pop_back();
    }
    bytes_ = offset_ = 0;
    mid_frame_ = false;
    if (account_ != nullptr) reclassify();
}

bool Outbox::is_overdue(core::SteadyTime now, core::Millis limit) {
    const std::uint64_t written = appended_ - bytes_;
    while (!checkpoints_.empty() && checkpoints_.front().appended <= written) {
        checkpoints_.pop_front();
    }
    if (bytes_ == 0) return false;
    const bool due = checkpoints_.empty() || (checkpoints_.back().appended < appended_ &&
                                              now - checkpoints_.back().at >= limit / 8);
    if (due) checkpoints_.push_back({appended_, now});
    return now - checkpoints_.front().at >= limit;
}

}  // namespace agentcom::delivery
