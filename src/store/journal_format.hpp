#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "store/bytes.hpp"
#include "store/checksum.hpp"
#include "store/first_pages.hpp"

/// The bytes of a segment, which journal.hpp draws. DO NOT CHANGE without another version: they are
/// on disk.
namespace agentcom::store {

inline constexpr std::uint32_t kSegmentMagic = 0x314a4341;  // "ACJ1"
inline constexpr std::uint32_t kRecordMagic = 0x31636572;   // "rec1"
inline constexpr std::uint32_t kSegmentVersion = 1;
inline constexpr std::size_t kRecordHeader = 32;
inline constexpr std::size_t kSegmentHeader = 40;
/// Every record begins at a multiple of this.
inline constexpr std::uint64_t kAlignment = 8;
[[nodiscard]] constexpr std::uint64_t aligned(std::uint64_t offset) noexcept {
    return (offset + kAlignment - 1) / kAlignment * kAlignment;
}

[[nodiscard]] inline std::string_view view(const StoreStamp& stamp) {
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

[[nodiscard]] inline std::uint64_t sum_of(const StoreStamp& stamp, const RecordHead& head,
                                          std::string_view body) {
    const std::string_view fields(reinterpret_cast<const char*>(&head), offsetof(RecordHead, sum));
    return checksum(checksum(0, view(stamp), fields), {}, body);
}

[[nodiscard]] inline std::string header_of(const StoreStamp& stamp, std::uint64_t first) {
    std::string header;
    append_fixed(header, kSegmentMagic);
    append_fixed(header, kSegmentVersion);
    header.append(view(stamp));
    append_fixed(header, first);
    append_fixed(header, checksum(0, {}, header));
    return header;
}

}  // namespace agentcom::store
