#include "agentcom/delivery/framing.hpp"

#include "agentcom/delivery/outbox.hpp"

namespace agentcom::delivery {

namespace {

/// Room for what a framing adds to a text.
constexpr std::size_t kUsualOverhead = 16;

}  // namespace

const core::SharedBytes& FramedEvent::make(const Framing& framing, core::Seq seq,
                                           OutputBudget* budget, std::string_view text) {
    std::string bytes;
    bytes.reserve(text.size() + kUsualOverhead);
    framing.append(bytes, text, seq);
    // What is copied into every outbox is counted there.
    if (bytes.size() < Outbox::kCopyBelow) budget = nullptr;
    Made made{&framing, share(std::move(bytes), budget)};
    Made& place = usual_.first == nullptr ? usual_ : others_.emplace_back();
    place = std::move(made);
    return place.second;
}

}  // namespace agentcom::delivery
