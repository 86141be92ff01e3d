#include "fuzz/support/journal_checks.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <stdexcept>

#include "agentcom/store/operation_codec.hpp"
#include "fuzz/support/broken.hpp"
#include "store/journal.hpp"
#include "support/temp_dir.hpp"

namespace agentcom::fuzz {

using namespace store;

namespace {

std::string encode(const OperationBatch& batch) {
    BatchEncoder encoder;
    encoder.begin(batch.origin, batch.time, batch.rules, batch.head);
    for (const WriteOp& op : batch.operations) encoder.add(op);
    return std::string(encoder.bytes());
}

/// Nothing: it is refused.
std::optional<OperationBatch> decode(std::string_view bytes) {
    try {
        return decode_batch(bytes);
    } catch (const UnknownOperation& error) {
        require(std::string_view(error.what()) != "", "a refusal says why", bytes);
        return std::nullopt;
    }
}

/// Written over, since making a file anew costs many times as much.
void put(const std::filesystem::path& path, std::string_view bytes) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    const bool done =
        file >= 0 &&
        ::pwrite(file, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()) &&
        ::ftruncate(file, static_cast<off_t>(bytes.size())) == 0;
    if (file >= 0) ::close(file);
    if (!done) throw std::runtime_error("cannot write " + path.string());
}

}  // namespace

void check_operations(std::string_view bytes) {
    const auto read = decode(bytes);
    if (!read) return;
    const std::string written = encode(*read);
    // Numbers may have been spelled longer than needed.
    require(written.size() <= bytes.size(), "what is written again is no longer", bytes);
    const auto again = decode(written);
    require(again.has_value(), "what was written is read", bytes);
    require(again->operations.size() == read->operations.size(), "no operation is lost", bytes);
    require(encode(*again) == written, "it is read as the same", bytes);
}

void check_journal(std::string_view bytes) {
    static const test::TempDir directory;
    const std::filesystem::path& data = directory.path();
    std::filesystem::create_directories(data / kJournalDirectory);
    if (bytes.empty()) return;
    const std::size_t split = std::min<std::size_t>(
        static_cast<unsigned char>(bytes.front()) * std::size_t{1'024}, bytes.size() - 1);
    put(segment_file(data, 0), bytes.substr(1, split));
    put(segment_file(data, 1), bytes.substr(1 + split));
    std::uint64_t records = 0;
    std::uint64_t sum = 0;
    try {
        const JournalEnd end = read_journal(data, {}, {}, [&](std::string_view body) {
            ++records;
            sum += body.size();
            (void)decode(body);
        });
        require(end.records == records && end.bytes == sum, "every record is told of", bytes);
        require(end.next_number == records + 1, "none is left out", bytes);
    } catch (const DamagedJournal& error) {
        require(std::string_view(error.what()) != "", "a refusal says why", bytes);
    }
    require(sum <= bytes.size(), "nothing is read twice", bytes);
}

}  // namespace agentcom::fuzz
