#include "store/checkpoint.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>

#include "agentcom/core/files.hpp"
#include "store/bytes.hpp"
#include "store/checksum.hpp"

namespace agentcom::store {
namespace {

constexpr std::uint64_t kCheckpointMagic = 0x314b434548434341;  // "ACCHECK1"
constexpr std::uint64_t kPlaceBytes = 4'096;
constexpr std::size_t kCheckpointBytes =
    8 + 8 + sizeof(StoreStamp) + 1 + 1 + 8 + 8 + PageImage::kBytes + kChecksumBytes;

std::filesystem::path file_in(const std::filesystem::path& data) {
    return data / kJournalDirectory / "checkpoint";
}

std::string encode(const Checkpoint& checkpoint, std::uint64_t counter) {
    std::string out;
    append_fixed(out, kCheckpointMagic);
    append_fixed(out, counter);
    out.append(reinterpret_cast<const char*>(checkpoint.stamp.data()), checkpoint.stamp.size());
    append_fixed(out, static_cast<std::uint8_t>(checkpoint.closed));
    append_fixed(out, static_cast<std::uint8_t>(checkpoint.journal.segment));
    append_fixed(out, checkpoint.journal.number);
    append_fixed(out, checkpoint.image.transaction);
    out.append(checkpoint.image.bytes.data(), checkpoint.image.bytes.size());
    append_fixed(out, checksum(0, {}, out));
    return out;
}

struct FoundCheckpoint {
    Checkpoint checkpoint;
    std::uint64_t counter = 0;
};

std::optional<FoundCheckpoint> decode(std::string_view bytes) {
    ByteReader in(bytes);
    FoundCheckpoint found;
    if (in.fixed<std::uint64_t>() != kCheckpointMagic) return std::nullopt;
    found.counter = in.fixed<std::uint64_t>();
    Checkpoint& checkpoint = found.checkpoint;
    const std::string_view stamp = in.take(checkpoint.stamp.size());
    std::memcpy(checkpoint.stamp.data(), stamp.data(), stamp.size());
    checkpoint.closed = in.fixed<std::uint8_t>() != 0;
    checkpoint.journal.segment = in.fixed<std::uint8_t>() & 1U;
    checkpoint.journal.number = in.fixed<std::uint64_t>();
    checkpoint.image.transaction = in.fixed<std::uint64_t>();
    const std::string_view image = in.take(checkpoint.image.bytes.size());
    std::memcpy(checkpoint.image.bytes.data(), image.data(), image.size());
    const std::size_t summed = bytes.size() - in.rest().size();
    if (in.fixed<std::uint64_t>() != checksum(0, {}, bytes.substr(0, summed))) return std::nullopt;
    return found;
}

std::optional<FoundCheckpoint> read_newest(int file) {
    std::optional<FoundCheckpoint> newest;
    for (const std::uint64_t place : {std::uint64_t{0}, kPlaceBytes}) {
        std::string bytes(kCheckpointBytes, '\0');
        const ssize_t got = ::pread(file, bytes.data(), bytes.size(), static_cast<off_t>(place));
        if (got < 0) throw JournalError(errno, "read the checkpoint");
        if (static_cast<std::size_t>(got) != bytes.size()) continue;
        auto found = decode(bytes);
        if (found && (!newest || found->counter > newest->counter)) newest = std::move(found);
    }
    return newest;
}

}  // namespace

CheckpointFile::CheckpointFile(const std::filesystem::path& data) {
    const std::filesystem::path directory = data / kJournalDirectory;
    std::error_code error;
    if (std::filesystem::create_directory(directory, error)) {
        std::filesystem::permissions(directory, std::filesystem::perms::owner_all, error);
        core::give_to_owner_of_directory(directory);
    }
    const std::filesystem::path path = file_in(data);
    file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file_ < 0) throw JournalError(errno, "open the checkpoint");
    core::give_to_owner_of_directory(path);
    try {
        if (const auto found = read_newest(file_)) {
            counter_ = found->counter;
            newest_ = found->checkpoint;
        }
    } catch (...) {
        ::close(file_);
        throw;
    }
}

CheckpointFile::~CheckpointFile() { ::close(file_); }

void CheckpointFile::write(const Checkpoint& checkpoint) {
    const std::uint64_t counter = counter_ + 1;
    const std::string bytes = encode(checkpoint, counter);
    // One after the other: a cut leaves one of them whole. Both, since the pages of the one before
    // are written over from now on, and a damaged place must not lead back to it.
    for (const std::uint64_t place : {std::uint64_t{0}, kPlaceBytes}) {
        const ssize_t done = ::pwrite(file_, bytes.data(), bytes.size(), static_cast<off_t>(place));
        if (done != static_cast<ssize_t>(bytes.size())) {
            throw JournalError(done < 0 ? errno : ENOSPC, "write the checkpoint");
        }
        if (::fdatasync(file_) != 0) throw JournalError(errno, "sync the checkpoint");
    }
    counter_ = counter;
    newest_ = checkpoint;
}

std::optional<Checkpoint> find_checkpoint(const std::filesystem::path& data) {
    const int file = ::open(file_in(data).c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return std::nullopt;
    std::optional<FoundCheckpoint> found;
    try {
        found = read_newest(file);
    } catch (...) {
        ::close(file);
        throw;
    }
    ::close(file);
    if (!found) return std::nullopt;
    return found->checkpoint;
}

}  // namespace agentcom::store
