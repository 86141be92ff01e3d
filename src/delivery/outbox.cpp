#include "agentcom/delivery/outbox.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace agentcom::delivery {

namespace {

/// Up to this size copying a shared frame costs less than another entry in the gather list.
constexpr std::size_t kCopyBelow = 1'024;
/// A chunk that has grown to this is left alone, so that written chunks free their memory early.
constexpr std::size_t kChunkTarget = std::size_t{64} * 1024;
/// Buffers of written chunks are used again by the loop's other outboxes, up to this many of at
/// most this size: a busy loop allocates nothing per delivery, an idle connection keeps nothing.
constexpr std::size_t kSpareBuffers = 64;
constexpr std::size_t kSpareBytes = std::size_t{4} * 1024;

std::vector<std::string>& spare_buffers() {
    thread_local std::vector<std::string> buffers;
    return buffers;
}

std::string take_buffer() {
    auto& spare = spare_buffers();
    if (spare.empty()) return {};
    std::string buffer = std::move(spare.back());
    spare.pop_back();
    return buffer;
}

void give_back(std::string&& buffer) {
    auto& spare = spare_buffers();
    if (buffer.capacity() > kSpareBytes || spare.size() >= kSpareBuffers) return;
    buffer.clear();
    spare.push_back(std::move(buffer));
}

}  // namespace

void append_text_frame(std::string& out, std::string_view payload) {
    constexpr char kFinalText = '\x81';
    const std::size_t size = payload.size();
    out.push_back(kFinalText);
    if (size < 126) {
        out.push_back(static_cast<char>(size));
    } else {
        const int bytes = size <= 0xffff ? 2 : 8;
        out.push_back(static_cast<char>(bytes == 2 ? 126 : 127));
        for (int i = bytes - 1; i >= 0; --i) {
            out.push_back(static_cast<char>((size >> (8 * i)) & 0xff));
        }
    }
    out.append(payload);
}

bool Outbox::append(std::string_view frames, core::Seq seq, bool force) {
    if (!force && (bytes_ + frames.size() > limits_.max_bytes || frames_ >= limits_.max_frames)) {
        return false;
    }
    // Nothing joins a chunk that has begun to be written, which `drop_unsent` must keep.
    const bool begun = offset_ > 0 && chunks_.size() == 1;
    if (chunks_.empty() || begun || chunks_.back().shared ||
        chunks_.back().owned.size() >= kChunkTarget) {
        chunks_.push_back({}).owned = take_buffer();
    }
    Chunk& chunk = chunks_.back();
    chunk.owned.append(frames);
    ++chunk.frames;
    chunk.last_seq = std::max(chunk.last_seq, seq);
    bytes_ += frames.size();
    ++frames_;
    return true;
}

bool Outbox::append_shared(const SharedBytes& frames, core::Seq seq) {
    if (frames->size() < kCopyBelow) return append(*frames, seq);
    if (bytes_ + frames->size() > limits_.max_bytes || frames_ >= limits_.max_frames) return false;
    Chunk chunk;
    chunk.shared = frames;
    chunk.frames = 1;
    chunk.last_seq = seq;
    chunks_.push_back(std::move(chunk));
    bytes_ += frames->size();
    ++frames_;
    return true;
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
        frames_ -= front.frames;
        done = std::max(done, front.last_seq);
        give_back(std::move(front.owned));
        chunks_.pop_front();
    }
    return done;
}

void Outbox::drop_unsent() {
    // A chunk that is partly on the wire must be finished, or the peer would read garbage.
    const std::size_t keep = offset_ > 0 ? 1 : 0;
    while (chunks_.size() > keep) {
        bytes_ -= chunks_.back().view().size();
        frames_ -= chunks_.back().frames;
        chunks_.pop_back();
    }
}

}  // namespace agentcom::delivery
