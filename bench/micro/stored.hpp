#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "agentcom/core/time.hpp"
#include "agentcom/store/store.hpp"

namespace agentcom::bench {

/// A directory of its own below the current one, so that the disk measured is the one chosen by
/// where the program is started; removed with all it holds.
class WorkDirectory {
public:
    WorkDirectory();
    ~WorkDirectory();
    WorkDirectory(const WorkDirectory&) = delete;
    WorkDirectory& operator=(const WorkDirectory&) = delete;
    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

private:
    std::filesystem::path path_;
};

/// A started store in a WorkDirectory, which shows all it holds as history.
class StoredMessages {
public:
    explicit StoredMessages(store::Durability durability);

    [[nodiscard]] store::Store& store() noexcept { return *store_; }
    /// Hands the operations over at once and waits for the last of them. Throws if one is refused.
    void write(std::vector<store::WriteOp> operations);
    /// Appends `count` messages in batches of thousands; `draft(i)` makes the i-th.
    void fill(std::uint64_t count, const std::function<core::Draft(std::uint64_t)>& draft);

private:
    WorkDirectory directory_;
    core::SystemClock clock_;
    std::unique_ptr<store::Store> store_;
};

}  // namespace agentcom::bench
