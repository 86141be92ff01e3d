#pragma once

#include <array>
#include <cstdint>

/// LMDB's two first pages (mdb.c, 0.9: MDB_page, MDB_meta), of which the one with the higher number
/// of a transaction says what is in the file. A commit writes one of them in place, so their bytes
/// must be kept elsewhere when an older state is to be found again.
namespace agentcom::store {

/// Names the file of a store, to tell that a journal is this file's. It stands in a part of the
/// first page that LMDB leaves alone, and copies of a store do not have it.
using StoreStamp = std::array<std::uint8_t, 16>;

/// The part of such a page that LMDB uses, as it was after one transaction.
struct PageImage {
    static constexpr std::size_t kBytes = 256;

    std::array<char, kBytes> bytes{};
    std::uint64_t transaction = 0;

    /// As it lies in the file for the newest transaction. Throws DamagedStore when there is none
    /// with this number, or the layout is not the one that is known, and LmdbError when it cannot
    /// be read.
    [[nodiscard]] static PageImage read(int fd, std::uint64_t transaction);
    /// Makes the file's newest transaction this one, and syncs. Its pages must all be there.
    void restore(int fd) const;
    [[nodiscard]] std::uint64_t page_size() const noexcept;
};

/// The highest number that either of the two tells of. Throws as `PageImage::read`.
[[nodiscard]] std::uint64_t newest_transaction(int fd);

/// Zeros when there is none.
[[nodiscard]] StoreStamp read_stamp(int fd);
/// And syncs.
void write_stamp(int fd, const StoreStamp& stamp);

}  // namespace agentcom::store
