#include "store/first_pages.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "store/bytes.hpp"
#include "store/lmdb_error.hpp"

namespace agentcom::store {
namespace {

constexpr std::uint32_t kLmdbMagic = 0xBEEFC0DE;
constexpr std::uint32_t kLmdbVersion = 1;
// Offsets within a page: its own number first, then the header, then MDB_meta.
constexpr std::size_t kPageNumber = 0;
constexpr std::size_t kMagicAt = 16;
constexpr std::size_t kVersionAt = 20;
constexpr std::size_t kPageSizeAt = 40;  // md_pad of the list of free pages
constexpr std::size_t kTransactionAt = 144;
constexpr off_t kStampAt = 2'048;

static_assert(sizeof(std::size_t) == 8, "these are the offsets of machines with 64 bits");

template <class Number>
Number number_at(const char* bytes, std::size_t offset) {
    Number value{};
    std::memcpy(&value, bytes + offset, sizeof value);
    return value;
}

void read_exactly(int fd, char* bytes, std::size_t size, off_t offset) {
    const ssize_t got = ::pread(fd, bytes, size, offset);
    if (got < 0) throw LmdbError(errno, "read the store's first pages");
    if (static_cast<std::size_t>(got) != size) {
        throw DamagedStore("the store's first pages are cut off");
    }
}

void write_exactly(int fd, const char* bytes, std::size_t size, off_t offset) {
    const ssize_t done = ::pwrite(fd, bytes, size, offset);
    if (done != static_cast<ssize_t>(size)) {
        throw LmdbError(done < 0 ? errno : ENOSPC, "write the store's first pages");
    }
}

void sync_pages(int fd) { check(::fdatasync(fd) == 0 ? 0 : errno, "sync the store's first pages"); }

}  // namespace

std::uint64_t PageImage::page_size() const noexcept {
    return number_at<std::uint32_t>(bytes.data(), kPageSizeAt);
}

PageImage PageImage::read(int fd, std::uint64_t transaction) {
    PageImage image;
    image.transaction = transaction;
    read_exactly(fd, image.bytes.data(), kBytes, 0);
    if (transaction % 2 == 1) {
        read_exactly(fd, image.bytes.data(), kBytes, static_cast<off_t>(image.page_size()));
    }
    const char* bytes = image.bytes.data();
    if (number_at<std::uint32_t>(bytes, kMagicAt) != kLmdbMagic ||
        (number_at<std::uint32_t>(bytes, kVersionAt) & 0xffffU) != kLmdbVersion ||
        number_at<std::uint64_t>(bytes, kTransactionAt) != transaction) {
        throw DamagedStore("the store's first pages are not as they should be");
    }
    return image;
}

void PageImage::restore(int fd) const {
    // Both are written, since the other one may tell of a later transaction.
    for (const std::uint64_t page : {1 - transaction % 2, transaction % 2}) {
        std::array<char, kBytes> copy = bytes;
        std::memcpy(copy.data() + kPageNumber, &page, sizeof page);
        if (page != transaction % 2) {
            const std::uint64_t earlier = transaction - 1;
            std::memcpy(copy.data() + kTransactionAt, &earlier, sizeof earlier);
        }
        write_exactly(fd, copy.data(), kBytes, static_cast<off_t>(page * page_size()));
    }
    sync_pages(fd);
}

std::uint64_t newest_transaction(int fd) {
    PageImage image;
    read_exactly(fd, image.bytes.data(), image.bytes.size(), 0);
    const auto even = number_at<std::uint64_t>(image.bytes.data(), kTransactionAt);
    read_exactly(fd, image.bytes.data(), image.bytes.size(), static_cast<off_t>(image.page_size()));
    return std::max(even, number_at<std::uint64_t>(image.bytes.data(), kTransactionAt));
}

StoreStamp read_stamp(int fd) {
    std::array<char, sizeof(StoreStamp)> bytes{};
    read_exactly(fd, bytes.data(), bytes.size(), kStampAt);
    StoreStamp stamp;
    std::memcpy(stamp.data(), bytes.data(), bytes.size());
    return stamp;
}

void write_stamp(int fd, const StoreStamp& stamp) {
    std::array<char, sizeof(StoreStamp)> bytes{};
    std::memcpy(bytes.data(), stamp.data(), bytes.size());
    write_exactly(fd, bytes.data(), bytes.size(), kStampAt);
    sync_pages(fd);
}

}  // namespace agentcom::store
