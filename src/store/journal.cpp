#include "store/journal.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <system_error>

#include "agentcom/core/files.hpp"
#include "agentcom/store/operation_codec.hpp"
#include "store/bytes.hpp"
#include "store/checksum.hpp"

namespace agentcom::store {
namespace {

constexpr std::uint32_t kSegmentMagic = 0x314a4341;  // "ACJ1"
constexpr std::uint32_t kRecordMagic = 0x31636572;   // "rec1"
constexpr std::uint32_t kSegmentVersion = 1;
constexpr std::size_t kRecordHeader = 32;
constexpr std::size_t kSegmentHeader = 40;
/// A segment begins with this much, and grows by as much as it has, but no more than that at once:
/// a disk writes over what it has much faster than it makes room.
constexpr std::uint64_t kFirstBytes = std::uint64_t{256} << 10;
constexpr std::uint64_t kMostAtOnce = std::uint64_t{8} << 20;

/// Every record begins at a multiple of this.
constexpr std::uint64_t kAlignment = 8;
constexpr std::uint64_t aligned(std::uint64_t offset) noexcept {
    return (offset + kAlignment - 1) / kAlignment * kAlignment;
}

std::string_view view(const StoreStamp& stamp) {
    return {reinterpret_cast<const char*>(stamp.data()), stamp.size()};
}

struct RecordHead {
    std::uint32_t magic = 0;
    std::uint32_t bytes = 0;
    std::uint64_t number = 0;
    std::uint64_t on_disk = 0;
    std::uint64_t sum = 0;
};
static_assert(sizeof(RecordHead) == kRecordHeader);

std::uint64_t sum_of(const StoreStamp& stamp, const RecordHead& head, std::string_view body) {
    const std::string_view fields(reinterpret_cast<const char*>(&head), offsetof(RecordHead, sum));
    return checksum(checksum(0, view(stamp), fields), {}, body);
}

std::string header_of(const StoreStamp& stamp, std::uint64_t first) {
    std::string header;
    append_fixed(header, kSegmentMagic);
    append_fixed(header, kSegmentVersion);
    header.append(view(stamp));
    append_fixed(header, first);
    append_fixed(header, checksum(0, {}, header));
    return header;
}

void write_at(int file, std::string_view bytes, std::uint64_t offset) {
    while (!bytes.empty()) {
        const ssize_t done = ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) throw JournalError(done < 0 ? errno : ENOSPC, "write the journal");
        bytes.remove_prefix(static_cast<std::size_t>(done));
        offset += static_cast<std::uint64_t>(done);
    }
}

void sync_file(int file) {
    if (::fdatasync(file) != 0) {
        throw JournalError(errno, "sync the journal", JournalError::During::sync);
    }
}

/// A segment as it lies there, to be read.
class SegmentReader {
public:
    SegmentReader(const std::filesystem::path& path, const StoreStamp& stamp) : stamp_(stamp) {
        file_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        if (file_ < 0) {
            if (errno == ENOENT) return;
            throw JournalError(errno, "open the journal");
        }
        struct stat status {};
        if (::fstat(file_, &status) == 0) size_ = static_cast<std::uint64_t>(status.st_size);
        std::string header(kSegmentHeader, '\0');
        if (!read(header.data(), header.size(), 0)) return;
        ByteReader in(header);
        in.take(8 + stamp.size());
        const auto first = in.fixed<std::uint64_t>();
        if (header == header_of(stamp, first)) first_ = first;
    }
    ~SegmentReader() {
        if (file_ >= 0) ::close(file_);
    }
    SegmentReader(const SegmentReader&) = delete;
    SegmentReader& operator=(const SegmentReader&) = delete;

    /// Number of its first record; nothing: it has no header of this store.
    [[nodiscard]] std::optional<std::uint64_t> first() const noexcept { return first_; }
    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

    /// The record there, if there is one.
    [[nodiscard]] bool read_record(std::uint64_t offset, RecordHead& head,
                                   std::string& body) const {
        if (!read(reinterpret_cast<char*>(&head), sizeof head, offset)) return false;
        if (head.magic != kRecordMagic || head.bytes == 0 ||
            head.bytes > size_ - offset - sizeof head) {
            return false;
        }
        body.resize(head.bytes);
        return read(body.data(), body.size(), offset + sizeof head) &&
               head.sum == sum_of(stamp_, head, body);
    }
    /// Whether a record lies behind this offset that was written when the one with that number was
    /// known to be on disk.
    [[nodiscard]] bool knows_of(std::uint64_t number, std::uint64_t offset) const {
        bool known = false;
        find_later(number, number, offset, [&](std::string_view) {
            known = true;
            return false;
        });
        return known;
    }
    /// Calls `each` with the body of every whole record behind this offset that has a higher number
    /// and was written when the one with the number `known` was known to be on disk, until that
    /// gives false.
    template <class Each>
    void find_later(std::uint64_t number, std::uint64_t known, std::uint64_t offset,
                    Each&& each) const {
        constexpr std::size_t kPiece = std::size_t{1} << 20;
        constexpr std::size_t kStep = kPiece - sizeof(RecordHead);
        std::string piece;
        RecordHead head;
        std::string body;
        for (std::uint64_t at = aligned(offset); at + sizeof head <= size_; at += kStep) {
            piece.resize(std::min<std::uint64_t>(kPiece, size_ - at));
            if (!read(piece.data(), piece.size(), at)) return;
            const std::size_t end = std::min(kStep, piece.size() - sizeof head + 1);
            for (std::size_t found = 0; found < end; found += kAlignment) {
                std::memcpy(&head, piece.data() + found, sizeof head);
                if (may_be_later(number, known, head) && read_record(at + found, head, body) &&
                    !each(std::string_view(body))) {
                    return;
                }
            }
        }
    }

private:
    /// By its numbers, before its body is read: clients choose most of the bytes that are looked
    /// through, and what only begins like a record must not take as long as one. Nothing that they
    /// write has bytes of zero, which numbers as high as theirs would need.
    [[nodiscard]] static bool may_be_later(std::uint64_t number, std::uint64_t known,
                                           const RecordHead& head) noexcept {
        constexpr std::uint64_t kMostRecords = std::uint64_t{1} << 32;  // far more than a segment's
        return head.magic == kRecordMagic && head.number > number &&
               head.number - number < kMostRecords && head.on_disk >= known &&
               head.on_disk < head.number;
    }
    bool read(char* into, std::size_t bytes, std::uint64_t offset) const {
        while (bytes > 0) {
            const ssize_t got = ::pread(file_, into, bytes, static_cast<off_t>(offset));
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) throw JournalError(errno, "read the journal");
            if (got == 0) return false;
            into += got;
            bytes -= static_cast<std::size_t>(got);
            offset += static_cast<std::uint64_t>(got);
        }
        return true;
    }

    const StoreStamp& stamp_;
    int file_ = -1;
    std::uint64_t size_ = 0;
    std::optional<std::uint64_t> first_;
};

/// Where the record is goes with what is wrong with it.
void hand_over(std::string_view body, const RecordPlace& place,
               const std::function<void(std::string_view)>& each) {
    try {
        each(body);
    } catch (const DamagedJournal& error) {
        throw DamagedJournal(error.what(), place);
    } catch (const UnknownOperation& error) {
        throw DamagedJournal(error.what(), place);
    }
}

}  // namespace

JournalError::JournalError(int code, const char* what, During during)
    : std::runtime_error(std::string(what) + ": " + std::generic_category().message(code)),
      code_(code),
      during_(during) {}

bool JournalError::is_full() const noexcept {
    if (during_ == During::sync) return false;
    return code_ == ENOSPC || code_ == EDQUOT || code_ == EFBIG;
}

std::filesystem::path segment_file(const std::filesystem::path& data, unsigned segment) {
    return data / kJournalDirectory / (std::string("segment-") + std::to_string(segment));
}

Journal::Journal(const std::filesystem::path& data, const StoreStamp& stamp, JournalStart start,
                 std::uint64_t segment_bytes)
    : stamp_(stamp),
      segment_bytes_(segment_bytes),
      segment_(start.segment),
      next_number_(start.number),
      synced_number_(start.number - 1) {
    try {
        for (unsigned i = 0; i < files_.size(); ++i) {
            const std::filesystem::path path = segment_file(data, i);
            files_[i] = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
            if (files_[i] < 0) throw JournalError(errno, "open the journal");
            core::give_to_owner_of_directory(path);
            struct stat status {};
            if (::fstat(files_[i], &status) != 0) throw JournalError(errno, "look at the journal");
            sizes_[i] = static_cast<std::uint64_t>(status.st_size);
        }
        // Both have room from the beginning: a disk that is full then keeps nobody from closing.
        segment_ = 1 - segment_;
        grow(kFirstBytes);
        sync_file(files_[segment_]);
        segment_ = 1 - segment_;
        begin_segment();
        sync_file(files_[segment_]);
    } catch (...) {
        for (const int file : files_) {
            if (file >= 0) ::close(file);
        }
        throw;
    }
}

Journal::~Journal() {
    for (const int file : files_) ::close(file);
}

void Journal::begin_segment() {
    grow(kFirstBytes);
    write_at(files_[segment_], header_of(stamp_, next_number_), 0);
    position_ = last_position_ = kSegmentStart;
}

void Journal::grow(std::uint64_t needed) {
    const int file = files_[segment_];
    std::uint64_t& size = sizes_[segment_];
    if (needed <= size) return;
    // Zeros are written, not only reserved: where a file has been written before, writing again
    // changes nothing about the file, which a sync would have to wait for.
    static const std::string kZeros(std::size_t{256} << 10, '\0');
    const std::uint64_t step = std::clamp(size, kFirstBytes, kMostAtOnce);
    std::uint64_t wanted = std::max(needed, std::min(size + step, segment_bytes_));
    wanted = (wanted + kSegmentStart - 1) / kSegmentStart * kSegmentStart;
    while (size < wanted) {
        const std::size_t part = std::min<std::uint64_t>(kZeros.size(), wanted - size);
        write_at(file, std::string_view(kZeros).substr(0, part), size);
        size += part;
    }
}

bool Journal::has_room(std::uint64_t bytes) const noexcept {
    return empty() || position_ + kRecordHeader + bytes <= segment_bytes_;
}

std::uint64_t Journal::append(std::string_view body) {
    RecordHead head{kRecordMagic, static_cast<std::uint32_t>(body.size()), next_number_,
                    synced_number_, 0};
    head.sum = sum_of(stamp_, head, body);
    record_.assign(reinterpret_cast<const char*>(&head), sizeof head);
    record_.append(body);
    grow(position_ + record_.size());
    write_at(files_[segment_], record_, position_);
    last_position_ = position_;
    position_ += record_.size();
    // What comes next stands apart, so that whatever becomes of it leaves this one whole.
    position_ = aligned(position_);
    return next_number_++;
}

void Journal::sync() {
    sync_file(files_[segment_]);
    synced_number_ = next_number_ - 1;
}

void Journal::revoke_last() {
    write_at(files_[segment_], std::string(kRecordHeader, '\0'), last_position_);
    --next_number_;
    synced_number_ = std::min(synced_number_, next_number_ - 1);
    position_ = last_position_;
    // Also where others are not: it must not come back.
    sync_file(files_[segment_]);
}

JournalStart Journal::turn() {
    if (empty()) return {segment_, next_number_};
    // A record of the segment that is left may follow one of the next on its way to the disk.
    if (!is_synced()) sync();
    const std::uint64_t position = position_;
    const std::uint64_t last = last_position_;
    segment_ = 1 - segment_;
    try {
        begin_segment();
        sync_file(files_[segment_]);
    } catch (...) {
        segment_ = 1 - segment_;
        position_ = position;
        last_position_ = last;
        throw;
    }
    return {segment_, next_number_};
}

JournalEnd read_journal(const std::filesystem::path& data, const StoreStamp& stamp,
                        JournalStart start, const std::function<void(std::string_view)>& each) {
    JournalEnd end;
    end.next_number = start.number;
    unsigned segment = start.segment;
    RecordHead head;
    std::string body;
    for (int turns = 0; turns < 2; ++turns, segment = 1 - segment) {
        const SegmentReader reader(segment_file(data, segment), stamp);
        const auto first = reader.first();
        // The other one may still hold what was before.
        if (turns > 0 && first && first != end.next_number) break;
        if (first != end.next_number) {
            // The header is on disk before any record is written.
            if (reader.knows_of(end.next_number - 1, Journal::kSegmentStart)) {
                throw DamagedJournal(
                    "the beginning of " + segment_file(data, segment).string() + " is damaged",
                    {segment, 0, end.next_number - 1});
            }
            break;
        }
        std::uint64_t offset = Journal::kSegmentStart;
        while (reader.read_record(offset, head, body) && head.number == end.next_number) {
            hand_over(body, {segment, offset, end.next_number}, each);
            ++end.records;
            end.bytes += body.size();
            ++end.next_number;
            offset = aligned(offset + sizeof head + body.size());
        }
        end.torn = head.magic == kRecordMagic && head.number == end.next_number;
        // All of a segment is on disk before the next one is begun.
        const SegmentReader other(segment_file(data, 1 - segment), stamp);
        if (reader.knows_of(end.next_number, offset) ||
            (turns == 0 && other.first() > end.next_number)) {
            throw DamagedJournal("record " + std::to_string(end.next_number) + " in " +
                                     segment_file(data, segment).string() + " is damaged",
                                 {segment, offset, end.next_number});
        }
    }
    return end;
}

void read_behind(const std::filesystem::path& data, const StoreStamp& stamp,
                 const RecordPlace& damaged, const std::function<void(std::string_view)>& each) {
    const auto look = [&](unsigned segment, std::uint64_t offset) {
        const SegmentReader reader(segment_file(data, segment), stamp);
        reader.find_later(damaged.number, 0, offset, [&](std::string_view body) {
            each(body);
            return true;
        });
    };
    look(damaged.segment, damaged.offset);
    look(1 - damaged.segment, 0);
}

void cut_before(const std::filesystem::path& data, const StoreStamp& stamp,
                const RecordPlace& damaged) {
    const auto cut = [&](unsigned segment, std::uint64_t offset) {
        const int file = ::open(segment_file(data, segment).c_str(), O_RDWR | O_CLOEXEC);
        if (file < 0) throw JournalError(errno, "open the journal");
        const bool done = ::ftruncate(file, static_cast<off_t>(offset)) == 0 && ::fsync(file) == 0;
        const int error = errno;
        ::close(file);
        if (!done) throw JournalError(error, "cut the journal");
    };
    // The later one first: cut off in between, what is left is still known to be damaged.
    const unsigned other = 1 - damaged.segment;
    const auto first = SegmentReader(segment_file(data, other), stamp).first();
    if (first && *first > damaged.number) cut(other, 0);
    cut(damaged.segment, damaged.offset);
}

bool holds_records(const std::filesystem::path& data) {
    for (const unsigned segment : {0U, 1U}) {
        std::error_code missing;
        if (std::filesystem::file_size(segment_file(data, segment), missing) > 0 && !missing) {
            return true;
        }
    }
    return false;
}

}  // namespace agentcom::store
