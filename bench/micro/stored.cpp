#include "stored.hpp"

#include <stdlib.h>

#include <algorithm>
#include <future>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>

namespace agentcom::bench {

namespace {

store::StoreOptions options(const std::filesystem::path& directory, store::Durability durability) {
    store::StoreOptions options;
    options.directory = directory;
    options.durability = durability;
    options.history_messages = std::numeric_limits<std::uint32_t>::max();
    return options;
}

}  // namespace

WorkDirectory::WorkDirectory() {
    std::string pattern = (std::filesystem::current_path() / "agentcom-microbench-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
        throw std::runtime_error("cannot make a directory below the current one");
    }
    path_ = pattern;
}

WorkDirectory::~WorkDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

StoredMessages::StoredMessages(store::Durability durability)
    : store_(store::Store::open(options(directory_.path(), durability), clock_)) {
    store_->start(nullptr);
}

void StoredMessages::write(std::vector<store::WriteOp> operations) {
    if (operations.empty()) return;
    // Completions run on the commit thread in order, so the last one ends the wait.
    std::promise<bool> done;
    bool all_taken = true;
    std::vector<store::Submission> submissions;
    submissions.reserve(operations.size());
    for (store::WriteOp& op : operations) {
        const bool last = submissions.size() + 1 == operations.size();
        submissions.push_back({std::move(op),
                               [&done, &all_taken, last](const store::WriteResult& result) {
                                   all_taken = all_taken && result.has_value();
                                   if (last) done.set_value(all_taken);
                               },
                               store::kNoLoop});
    }
    store_->submit(std::move(submissions));
    if (!done.get_future().get()) throw std::runtime_error("the store refused an operation");
}

void StoredMessages::fill(std::uint64_t count,
                          const std::function<core::Draft(std::uint64_t)>& draft) {
    constexpr std::uint64_t kBatch = 8'000;
    for (std::uint64_t i = 0; i < count;) {
        std::vector<store::WriteOp> batch;
        for (const std::uint64_t end = std::min(count, i + kBatch); i < end; ++i) {
            batch.emplace_back(store::AppendMessage{draft(i), std::nullopt});
        }
        write(std::move(batch));
    }
}

}  // namespace agentcom::bench
