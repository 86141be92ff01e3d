#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace agentcom::core {

/// Bytes that are made once and shared by all who send them.
using SharedBytes = std::shared_ptr<const std::string>;

/// A stretch of a text: its own, or somebody else's by reference.
struct Piece {
    std::string owned;  // used when `shared` is null
    SharedBytes shared;
    /// Whoever made `shared` accounts for its memory; otherwise whoever holds the piece does.
    bool counted_by_owner = false;

    [[nodiscard]] std::string_view view() const noexcept {
        return shared ? std::string_view(*shared) : std::string_view(owned);
    }
};

/// A text of any length in pieces of about kPieceBytes, so that neither making it nor sending it
/// takes one large allocation or a copy of the whole. Appending goes to the open piece, which is
/// set aside when it is full; what is large is a piece of its own. For one thread.
class Pieces {
public:
    static constexpr std::size_t kPieceBytes = std::size_t{64} * 1024;
    /// From this size on a text becomes a piece of its own, by move or by reference.
    static constexpr std::size_t kOwnPieceBytes = std::size_t{16} * 1024;

    /// The open piece, to append a little to; call `spill` in between.
    [[nodiscard]] std::string& open() noexcept { return open_; }
    /// Sets the open piece aside if it is full.
    void spill() {
        if (open_.size() >= kPieceBytes) close_open();
    }
    void append(std::string_view text);
    void append(std::string&& text);
    /// By reference when it is large; the memory counts as that of whoever holds these pieces.
    void append_reference(SharedBytes text);
    /// The pieces of a text that many send, by reference; its owner counts the memory.
    void append_shared(const std::shared_ptr<const Pieces>& text);

    /// Bytes of the whole text.
    [[nodiscard]] std::size_t size() const noexcept { return closed_bytes_ + open_.size(); }
    [[nodiscard]] bool empty() const noexcept { return size() == 0; }
    /// The whole text in one string, for what is known to be short.
    [[nodiscard]] std::string str() const;
    /// Empties it and keeps at most one piece's worth of memory.
    void clear() noexcept;

    /// All but the open piece, in order; the open one follows.
    [[nodiscard]] std::vector<Piece>& closed() noexcept { return closed_; }
    [[nodiscard]] const std::vector<Piece>& closed() const noexcept { return closed_; }
    [[nodiscard]] const std::string& open() const noexcept { return open_; }
    /// Sets the open piece aside whatever its size.
    void close_open();

private:
    std::vector<Piece> closed_;
    std::size_t closed_bytes_ = 0;
    std::string open_;
};

}  // namespace agentcom::core
