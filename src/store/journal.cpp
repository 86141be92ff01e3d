#include "store/journal.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "agentcom/core/files.hpp"
#include "store/journal_format.hpp"

namespace agentcom::store {
namespace {

/// A segment begins with this much, and grows by as much as it has: a disk writes over what it has
/// much faster than it makes room. But no more than that at once: a commit waits for it.
constexpr std::uint64_t kFirstBytes = std::uint64_t{256} << 10;
constexpr std::uint64_t kMostAtOnce = std::uint64_t{512} << 10;

void write_at(int file, std::string_view bytes, std::uint64_t offset) {
    while (!bytes.empty()) {
        const ssize_t done = ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) throw JournalError(done < 0 ? errno : ENOSPC, "write the journal");
        bytes.remove_prefix(static_cast<std::size_t>(done));
        offset += static_cast<std::uint64_t>(done);
    }
}

/// Both, one behind the other, in one call if the system takes them at once.
void write_at(int file, std::string_view head, std::string_view body, std::uint64_t offset) {
    const std::array<iovec, 2> parts{iovec{const_cast<char*>(head.data()), head.size()},
                                     iovec{const_cast<char*>(body.data()), body.size()}};
    const ssize_t done =
        ::pwritev(file, parts.data(), static_cast<int>(parts.size()), static_cast<off_t>(offset));
    if (done < 0 && errno != EINTR) throw JournalError(errno, "write the journal");
    if (done == static_cast<ssize_t>(head.size() + body.size())) return;
    // Cut short: once more, which tells why.
    write_at(file, head, offset);
    write_at(file, body, offset + head.size());
}

void sync_file(int file) {
    if (::fdatasync(file) != 0) {
        throw JournalError(errno, "sync the journal", JournalError::During::sync);
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
                    synced_number_.load(), 0};
    head.sum = sum_of(stamp_, head, body);
    const std::uint64_t bytes = sizeof head + body.size();
    grow(position_ + bytes);
    write_at(files_[segment_], {reinterpret_cast<const char*>(&head), sizeof head}, body,
             position_);
    last_position_ = position_;
    position_ += bytes;
    // What comes next stands apart, so that whatever becomes of it leaves this one whole.
    position_ = aligned(position_);
    return next_number_++;
}

void Journal::sync(std::uint64_t number) {
    sync_file(files_[segment_]);
    synced_number_ = number;
}

void Journal::revoke_last() {
    write_at(files_[segment_], std::string(kRecordHeader, '\0'), last_position_);
    --next_number_;
    synced_number_ = std::min(synced_number_.load(), next_number_ - 1);
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

}  // namespace agentcom::store
