#include "agentcom/core/pieces.hpp"

#include <utility>

namespace agentcom::core {

void Pieces::close_open() {
    if (open_.empty()) return;
    closed_bytes_ += open_.size();
    const bool full = open_.size() >= kPieceBytes;
    closed_.push_back(Piece{std::exchange(open_, {}), nullptr, false});
    // Whoever has filled one piece will fill the next: without the steps of a string that grows.
    if (full) open_.reserve(kPieceBytes + kPieceBytes / 8);
}

void Pieces::append(std::string_view text) {
    if (text.size() >= kOwnPieceBytes) return append(std::string(text));
    open_.append(text);
    spill();
}

void Pieces::append(std::string&& text) {
    if (text.size() < kOwnPieceBytes) return append(std::string_view(text));
    close_open();
    closed_bytes_ += text.size();
    closed_.push_back(Piece{std::move(text), nullptr, false});
}

void Pieces::append_reference(SharedBytes text) {
    if (text->size() < kOwnPieceBytes) return append(std::string_view(*text));
    close_open();
    closed_bytes_ += text->size();
    closed_.push_back(Piece{{}, std::move(text), false});
}

void Pieces::append_shared(const std::shared_ptr<const Pieces>& text) {
    close_open();
    for (const Piece& piece : text->closed_) {
        const std::string& bytes = piece.shared ? *piece.shared : piece.owned;
        closed_bytes_ += bytes.size();
        closed_.push_back(Piece{{}, SharedBytes(text, &bytes), true});
    }
    if (text->open_.empty()) return;
    closed_bytes_ += text->open_.size();
    closed_.push_back(Piece{{}, SharedBytes(text, &text->open_), true});
}

std::string Pieces::str() const {
    std::string all;
    all.reserve(size());
    for (const Piece& piece : closed_) all.append(piece.view());
    all.append(open_);
    return all;
}

void Pieces::clear() noexcept {
    closed_bytes_ = 0;
    closed_.clear();
    if (closed_.capacity() > 64) std::vector<Piece>().swap(closed_);
    if (open_.capacity() > kPieceBytes) {
        std::string().swap(open_);
    } else {
        open_.clear();
    }
}

}  // namespace agentcom::core
