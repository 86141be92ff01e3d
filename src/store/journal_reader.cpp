// What is done with a journal that nobody appends to: it is read, looked through and cut.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <system_error>

#include "agentcom/store/operation_codec.hpp"
#include "store/journal.hpp"
#include "store/journal_format.hpp"

namespace agentcom::store {
namespace {

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
