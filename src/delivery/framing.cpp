#include "agentcom/delivery/framing.hpp"

#include "agentcom/delivery/outbox.hpp"

namespace agentcom::delivery {

const FramedBytes& FramedEvent::make(const Framing& framing, core::Seq seq, OutputBudget* budget,
                                     std::string_view text) {
    Made& place = usual_.framing == nullptr ? usual_ : others_.emplace_back();
    FramedBytes& bytes = place.bytes;
    framing.append(bytes.copied, text, seq);
    // What is copied into every outbox is counted there.
    if (bytes.copied.size() >= Outbox::kCopyBelow) {
        bytes.shared = share(std::exchange(bytes.copied, {}), budget);
    }
    place.framing = &framing;
    return bytes;
}

}  // namespace agentcom::delivery
