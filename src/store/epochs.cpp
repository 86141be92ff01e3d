#include "store/epochs.hpp"

#include <algorithm>

#include "agentcom/core/token.hpp"
#include "store/bytes.hpp"
#include "store/checksum.hpp"
#include "store/rows.hpp"

namespace agentcom::store {
namespace {

constexpr std::uint8_t kEarlierVersion = 1;

}  // namespace

Epochs Epochs::parse(std::string_view newest, std::optional<std::string_view> earlier) {
    Epochs epochs(core::Epoch{parse_number(newest)});
    if (!earlier) return epochs;
    ByteReader reader(*earlier);
    if ((reader.fixed<std::uint8_t>() & ~kSealed) != kEarlierVersion) {
        throw DamagedStore("the store's earlier epochs have an unknown version");
    }
    while (!reader.empty()) {
        const core::Epoch epoch{reader.fixed<std::uint64_t>()};
        epochs.earlier_.push_back(Earlier{epoch, core::Seq{reader.fixed<std::uint64_t>()}});
    }
    return epochs;
}

std::string Epochs::encode_earlier() const {
    if (earlier_.empty()) return {};
    std::string out(1, static_cast<char>(kEarlierVersion));
    for (const Earlier& each : earlier_) {
        append_fixed(out, each.epoch.value);
        append_fixed(out, each.last.value);
    }
    return out;
}

core::Epoch Epochs::epoch_of(core::Seq seq) const noexcept {
    for (const Earlier& each : earlier_) {
        if (seq <= each.last) return each.epoch;
    }
    return newest_;
}

core::MessageId Epochs::id_of(core::Seq seq) const noexcept {
    return core::MessageId::make(epoch_of(seq), seq);
}

std::optional<core::Seq> Epochs::seq_of(std::string_view id) const noexcept {
    auto seq = core::MessageId::seq_of(id, newest_);
    for (auto each = earlier_.begin(); !seq && each != earlier_.end(); ++each) {
        seq = core::MessageId::seq_of(id, each->epoch);
    }
    // An id of the original's, for a number that means another message here, is not one of ours.
    if (!seq || core::MessageId::seq_of(id, epoch_of(*seq)) != seq) return std::nullopt;
    return seq;
}

void Epochs::begin_another(core::Seq head) {
    // A store that was restored and not written to since: its newest epoch has no message.
    const bool unused = !earlier_.empty() && earlier_.back().last >= head;
    if (!unused && head.value > 0) earlier_.push_back(Earlier{newest_, head});
    if (earlier_.size() > kMaxEarlier) earlier_.erase(earlier_.begin());
    const auto looks_like = [](core::Epoch a, core::Epoch b) {
        return core::MessageId::make(a, {}) == core::MessageId::make(b, {});
    };
    core::Epoch drawn = newest_;
    do {
        drawn.value = core::random_u64();
    } while (looks_like(drawn, newest_) || std::ranges::any_of(earlier_, [&](const Earlier& each) {
                 return looks_like(drawn, each.epoch);
             }));
    newest_ = drawn;
}

}  // namespace agentcom::store
