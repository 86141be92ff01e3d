#include "store/message_log.hpp"

#include <cstring>

#include "store/keys.hpp"

namespace agentcom::store {
namespace {

constexpr std::uint8_t kBlockVersion = 1;
constexpr std::size_t kHeaderBytes = 4;
constexpr std::size_t kOffsetBytes = sizeof(std::uint32_t);
/// A block is closed when it has this much. Larger ones save little more and make retention and
/// LMDB's search for free runs of pages coarser.
constexpr std::size_t kFullBlockBytes = std::size_t{64} << 10;
constexpr std::size_t kFullBlockMessages = 256;

}  // namespace

BlockView::BlockView(core::Seq first, std::string_view bytes) : first_(first), bytes_(bytes) {
    ByteReader reader(bytes);
    if (reader.fixed<std::uint8_t>() != kBlockVersion) {
        throw DamagedStore("a log block has an unknown version");
    }
    reader.fixed<std::uint8_t>();
    count_ = reader.fixed<std::uint16_t>();
    if (count_ == 0 || bytes.size() < kHeaderBytes + count_ * kOffsetBytes) {
        throw DamagedStore("a log block ends too early");
    }
}

std::size_t BlockView::offset(std::uint64_t index) const {
    if (index == count_) return bytes_.size();
    std::uint32_t value = 0;
    std::memcpy(&value, bytes_.data() + kHeaderBytes + index * kOffsetBytes, sizeof value);
    return value;
}

std::string_view BlockView::record(core::Seq seq) const {
    const std::uint64_t index = seq.value - first_.value;
    const std::size_t begin = offset(index);
    const std::size_t end = offset(index + 1);
    if (begin > end || end > bytes_.size()) throw DamagedStore("a log block has a wrong offset");
    return bytes_.substr(begin, end - begin);
}

void LogWriter::restart(core::Seq next) {
    first_ = next;
    ends_.clear();
    records_.clear();
}

std::size_t LogWriter::add(WriteTransaction& txn, const core::Draft& draft,
                           core::Timestamp timestamp, core::Seq root,
                           core::ChannelSeq channel_seq) {
    const std::size_t before = records_.size();
    append_record(records_, draft, timestamp, root, channel_seq);
    const std::size_t size = records_.size() - before;
    ends_.push_back(static_cast<std::uint32_t>(records_.size()));
    if (records_.size() >= kFullBlockBytes || ends_.size() >= kFullBlockMessages) flush(txn);
    return size;
}

void LogWriter::flush(WriteTransaction& txn) {
    if (ends_.empty()) return;
    const std::size_t head = kHeaderBytes + ends_.size() * kOffsetBytes;
    char* out =
        txn.append_reserved(txn.tables().log, be64_key(first_.value), head + records_.size());
    const auto count = static_cast<std::uint16_t>(ends_.size());
    out[0] = static_cast<char>(kBlockVersion);
    out[1] = 0;
    std::memcpy(out + 2, &count, sizeof count);
    out += kHeaderBytes;
    std::size_t begin = 0;
    for (const std::uint32_t end : ends_) {
        const auto offset = static_cast<std::uint32_t>(head + begin);
        std::memcpy(out, &offset, sizeof offset);
        out += sizeof offset;
        begin = end;
    }
    std::memcpy(out, records_.data(), records_.size());
    restart(core::Seq{first_.value + ends_.size()});
}

LogReader::LogReader(const Transaction& txn) : txn_(txn), cursor_(txn, txn.tables().log) {}

bool LogReader::load(core::Seq seq) {
    if (block_ && block_->contains(seq)) return true;
    if (!cursor_.at_or_before(be64_key(seq.value))) return false;
    block_.emplace(core::Seq{read_be64(cursor_.key())}, cursor_.value());
    return block_->contains(seq);
}

std::optional<std::string_view> LogReader::find_bytes(core::Seq seq) {
    if (load(seq)) return block_->record(seq);
    return txn_.get(txn_.tables().kept, be64_key(seq.value));
}

std::optional<RecordView> LogReader::find(core::Seq seq) {
    const auto bytes = find_bytes(seq);
    if (!bytes) return std::nullopt;
    return parse_record(*bytes);
}

std::optional<core::Seq> LogReader::first_seq() {
    if (!cursor_.first()) return std::nullopt;
    return core::Seq{read_be64(cursor_.key())};
}

std::optional<core::Seq> LogReader::last_seq() {
    if (!cursor_.last()) return std::nullopt;
    return BlockView(core::Seq{read_be64(cursor_.key())}, cursor_.value()).last();
}

core::Seq LogReader::first_at_or_after(core::Timestamp time) {
    core::Seq low = first_seq().value();
    core::Seq high = last_seq()->next();
    // Timestamps never fall, so this is a search in a sorted sequence.
    while (low < high) {
        const core::Seq middle{low.value + (high.value - low.value) / 2};
        const auto bytes = find_bytes(middle);
        if (!bytes) throw DamagedStore("the log has a gap");
        if (record_timestamp(*bytes) < time) {
            low = middle.next();
        } else {
            high = middle;
        }
    }
    return low;
}

}  // namespace agentcom::store
