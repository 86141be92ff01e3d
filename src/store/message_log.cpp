#include "store/message_log.hpp"

#include <algorithm>
#include <cstring>
#include <span>

#include "store/checksum.hpp"
#include "store/keys.hpp"

namespace agentcom::store {
namespace {

constexpr std::uint8_t kBlockVersion = 2;
constexpr std::size_t kHeaderBytes = 4;
constexpr std::size_t kOffsetBytes = sizeof(std::uint32_t);
/// A block is closed when it has this much. Larger ones save little more and make retention and
/// LMDB's search for free runs of pages coarser.
constexpr std::size_t kFullBlockBytes = std::size_t{64} << 10;
constexpr std::size_t kFullBlockMessages = 256;

std::uint64_t log_seed() noexcept {
    static const std::uint64_t seed = table_seed("log");
    return seed;
}

/// Writes all that stands before the records, which end so far behind their beginning.
void put_head(char* block, std::string_view key, std::span<const std::uint32_t> ends) {
    const std::size_t head = kHeaderBytes + ends.size() * kOffsetBytes;
    const auto count = static_cast<std::uint16_t>(ends.size());
    block[0] = static_cast<char>(kBlockVersion);
    block[1] = 0;
    std::memcpy(block + 2, &count, sizeof count);
    char* out = block + kHeaderBytes;
    std::size_t begin = 0;
    for (const std::uint32_t end : ends) {
        const auto offset = static_cast<std::uint32_t>(head + kChecksumBytes + begin);
        std::memcpy(out, &offset, sizeof offset);
        out += sizeof offset;
        begin = end;
    }
    const std::uint64_t sum = checksum(log_seed(), key, std::string_view(block, head));
    std::memcpy(out, &sum, sizeof sum);
}

}  // namespace

std::string sealed_record(core::Seq seq, std::string record) {
    append_fixed(record, checksum(log_seed(), be64_key(seq.value), record));
    return record;
}

std::string make_block(core::Seq first, const std::vector<std::string>& records) {
    std::vector<std::uint32_t> ends;
    std::size_t size = 0;
    for (const std::string& record : records) {
        size += record.size();
        ends.push_back(static_cast<std::uint32_t>(size));
    }
    std::string block(kHeaderBytes + ends.size() * kOffsetBytes + kChecksumBytes, '\0');
    put_head(block.data(), be64_key(first.value), ends);
    for (const std::string& record : records) block.append(record);
    return block;
}

BlockView::BlockView(core::Seq first, std::string_view bytes, Unchecked)
    : first_(first), bytes_(bytes) {
    ByteReader reader(bytes);
    const auto version = reader.fixed<std::uint8_t>();
    if (version == 0 || version > kBlockVersion) {
        throw DamagedStore("a log block has an unknown version");
    }
    checked_ = version == kBlockVersion;
    reader.fixed<std::uint8_t>();
    count_ = reader.fixed<std::uint16_t>();
    if (count_ == 0 || bytes.size() < head_size() + (checked_ ? kChecksumBytes : 0)) {
        throw DamagedStore("a log block ends too early");
    }
    if (!checked_ && offset(0) != head_size()) {
        throw DamagedStore("a log block has a wrong offset");
    }
}

BlockView::BlockView(core::Seq first, std::string_view bytes)
    : BlockView(first, bytes, Unchecked{}) {
    check_head();
}

BlockView BlockView::for_single_records(core::Seq first, std::string_view bytes) {
    return {first, bytes, Unchecked{}};
}

std::size_t BlockView::head_size() const noexcept { return kHeaderBytes + count_ * kOffsetBytes; }

void BlockView::check_head() const {
    if (!checked_ || head_is_good_) return;
    ByteReader rest(bytes_.substr(head_size()));
    if (checksum(log_seed(), be64_key(first_.value), bytes_.substr(0, head_size())) !=
        rest.fixed<std::uint64_t>()) {
        throw DamagedStore("the head of a log block does not match its checksum");
    }
    head_is_good_ = true;
}

void BlockView::fail(const char* what) const {
    check_head();
    throw DamagedStore(what);
}

std::size_t BlockView::offset(std::uint64_t index) const {
    if (index == count_) return bytes_.size();
    std::uint32_t value = 0;
    std::memcpy(&value, bytes_.data() + kHeaderBytes + index * kOffsetBytes, sizeof value);
    return value;
}

std::string_view BlockView::stored_record(core::Seq seq) const {
    const std::uint64_t index = seq.value - first_.value;
    const std::size_t begin = offset(index);
    const std::size_t end = offset(index + 1);
    if (begin > end || end > bytes_.size()) fail("a log block has a wrong offset");
    return bytes_.substr(begin, end - begin);
}

std::string_view BlockView::record(core::Seq seq) const {
    const std::string_view stored = stored_record(seq);
    if (!checked_) return stored;
    if (stored.size() <= kChecksumBytes) fail("a stored record ends too early");
    const std::string_view record = stored.substr(0, stored.size() - kChecksumBytes);
    ByteReader rest(stored.substr(record.size()));
    if (checksum(log_seed(), be64_key(seq.value), record) != rest.fixed<std::uint64_t>()) {
        fail("a stored message does not match its checksum");
    }
    return record;
}

std::size_t BlockView::record_size(core::Seq seq) const {
    const std::size_t size = stored_record(seq).size();
    return checked_ ? size - std::min(size, kChecksumBytes) : size;
}

void LogWriter::restart(core::Seq next) {
    first_ = next;
    ends_.clear();
    records_.clear();
}

std::size_t LogWriter::add(WriteTransaction& txn, const core::Draft& draft, MessageTimes times,
                           core::Seq root, core::ChannelSeq channel_seq) {
    const std::size_t before = records_.size();
    append_record(records_, draft, times, root, channel_seq);
    const std::size_t size = records_.size() - before;
    append_fixed(records_, checksum(log_seed(), be64_key(first_.value + ends_.size()),
                                    std::string_view(records_).substr(before)));
    ends_.push_back(static_cast<std::uint32_t>(records_.size()));
    if (records_.size() >= kFullBlockBytes || ends_.size() >= kFullBlockMessages) flush(txn);
    return size;
}

void LogWriter::flush(WriteTransaction& txn) {
    if (ends_.empty()) return;
    const std::size_t head = kHeaderBytes + ends_.size() * kOffsetBytes;
    const std::string key = be64_key(first_.value);
    char* const block =
        txn.append_reserved(txn.tables().log, key, head + kChecksumBytes + records_.size());
    put_head(block, key, ends_);
    std::memcpy(block + head + kChecksumBytes, records_.data(), records_.size());
    restart(core::Seq{first_.value + ends_.size()});
}

LogReader::LogReader(const Transaction& txn) : txn_(txn), cursor_(txn, txn.tables().log) {}

bool LogReader::load(core::Seq seq) {
    if (block_ && block_->contains(seq)) return true;
    block_.reset();
    if (!cursor_.at_or_before(be64_key(seq.value))) return false;
    block_.emplace(
        BlockView::for_single_records(core::Seq{read_be64(cursor_.key())}, cursor_.stored_value()));
    if (block_->contains(seq)) return true;
    // The number of its messages may be what is damaged.
    block_->check_head();
    return false;
}

std::optional<std::string_view> LogReader::find_bytes(core::Seq seq) {
    if (load(seq)) return block_->record(seq);
    return txn_.get(txn_.tables().kept, be64_key(seq.value));
}

std::optional<RecordView> LogReader::find(core::Seq seq) {
    const auto bytes = find_bytes(seq);
    if (!bytes) return std::nullopt;
    const RecordView record = parse_record(*bytes);
    const bool in_log = block_ && block_->contains(seq);
    if (!(in_log ? block_->is_checked() : is_sealed(*bytes))) check_names(record);
    return record;
}

ReadRecord LogReader::read(core::Seq seq) {
    try {
        return {find(seq), false};
    } catch (const DamagedStore& error) {
        txn_.report_damage("message " + std::to_string(seq.value) + ": " + error.what());
        return {std::nullopt, true};
    }
}

std::uint64_t LogReader::size_of(core::Seq seq) {
    try {
        if (load(seq)) {
            block_->check_head();
            return block_->record_size(seq);
        }
    } catch (const DamagedStore&) {
        return 0;  // whoever reads the message reports it
    }
    if (!kept_) kept_.emplace(txn_, txn_.tables().kept);
    const std::string key = be64_key(seq.value);
    if (!kept_->at_or_after(key) || kept_->key() != key) return 0;
    const std::string_view stored = kept_->stored_value();
    return is_sealed(stored) ? stored.size() - std::min(stored.size(), kChecksumBytes)
                             : stored.size();
}

std::optional<core::Seq> LogReader::first_seq() {
    if (!cursor_.first()) return std::nullopt;
    return core::Seq{read_be64(cursor_.key())};
}

std::optional<core::Seq> LogReader::last_seq() {
    if (!cursor_.last()) return std::nullopt;
    const core::Seq first{read_be64(cursor_.key())};
    try {
        return BlockView(first, cursor_.stored_value()).last();
    } catch (const DamagedStore&) {
        // How many messages it has cannot be told; readers of those say so.
        return first;
    }
}

std::optional<MessageTimes> LogReader::first_times(core::Seq& first, core::Seq end) {
    for (; first < end; first = first.next()) {
        try {
            if (const auto bytes = find_bytes(first)) return record_times(*bytes);
        } catch (const DamagedStore&) {
            // Whoever reads the message itself reports it.
        }
    }
    return std::nullopt;
}

template <class IsBefore>
core::Seq LogReader::find_bound(IsBefore&& is_before) {
    core::Seq low = first_seq().value();
    core::Seq high = last_seq()->next();
    // Times never fall, so this is a search in a sorted sequence.
    while (low < high) {
        const core::Seq middle{low.value + (high.value - low.value) / 2};
        core::Seq readable = middle;
        const auto times = first_times(readable, high);
        if (times && is_before(*times)) {
            low = readable.next();
        } else {
            high = middle;
        }
    }
    return low;
}

core::Seq LogReader::first_at_or_after(core::Timestamp time) {
    return find_bound([time](const MessageTimes& of) { return of.shown < time; });
}

core::Seq LogReader::first_stored_at_or_after(core::Timestamp time) {
    return find_bound([time](const MessageTimes& of) { return of.stored < time; });
}

}  // namespace agentcom::store
