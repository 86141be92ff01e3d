// The part of CommitPipeline that commits the operations of a batch, and finds out which of them
// cannot be done. None of it throws.

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <new>
#include <string>
#include <utility>

#include "agentcom/core/memory.hpp"
#include "store/commit_pipeline.hpp"

namespace agentcom::store {
namespace {

void report_broken(Environment& env, const char* why) noexcept {
    core::say_if_possible(
        [&] { env.damage().report(std::string("an operation cannot be done: ") + why); });
}

}  // namespace

void CommitPipeline::commit(std::span<Committed> operations) {
    try {
        apply(operations);
        if (encode(operations)) {
            write();
        } else {
            batch_.drop();
        }
        judge_room();
        ++commits_;
    } catch (const JournalError& error) {
        batch_.abort();
        if (error.is_full()) {
            enter(StoreState::full, error.what());
        } else {
            give_up(error.what());
        }
        fail_all(operations,
                 error.is_full() ? core::ErrorCode::storage_full : core::ErrorCode::storage_failed);
    } catch (const LmdbError& error) {
        batch_.abort();
        if (error.is_damage()) return commit_apart(operations, error.what());
        if (error.code() == ENOMEM) return fail(operations, error.what());
        // A full map or disk has changed nothing, so later batches may try. Whatever else goes
        // wrong, above all a failed sync, leaves it unknown what the disk holds; after a failed
        // assertion LMDB cannot write any more.
        const bool full = env_.is_out_of_space(error);
        if (full && make_room(operations)) return commit(operations);
        if (full) {
            enter(StoreState::full, error.what());
        } else {
            give_up(error.what());
        }
        fail_all(operations,
                 full ? core::ErrorCode::storage_full : core::ErrorCode::storage_failed);
    } catch (const DamagedStore& error) {
        batch_.abort();
        commit_apart(operations, error.what());
    } catch (const std::exception& error) {
        // No memory, most likely. Nothing of it has happened.
        batch_.abort();
        fail(operations, error.what());
    }
}

bool CommitPipeline::encode(std::span<const Committed> operations) {
    encoder_.begin(0, batch_.batch_time(), batch_.rules(), batch_.committed().head);
    for (const Committed& committed : operations) {
        // What is refused, and a message that was there already, leave no trace.
        if (!committed.result) continue;
        const auto* append = std::get_if<AppendMessage>(&committed.op);
        if (append == nullptr) {
            encoder_.add(committed.op);
            continue;
        }
        const auto& appended = std::get<Appended>(*committed.result);
        if (!appended.duplicate) encoder_.add(*append, appended.message->draft);
    }
    return encoder_.count() > 0;
}

bool CommitPipeline::make_room(std::span<Committed> operations) noexcept {
    try {
        // Without a later checkpoint it would end as it did.
        if (!checkpoints_.advance()) return false;
        take_back(operations);
        return true;
    } catch (const std::exception&) {
        return false;  // whoever looks at the checkpoints next says why
    }
}

void CommitPipeline::write() {
    batch_.complete();
    checkpoints_.append(encoder_.bytes());
    try {
        if (options_.durability == Durability::commit) {
            checkpoints_.journal().sync();
        } else {
            unsynced_ = true;
        }
        batch_.commit();
    } catch (const JournalError&) {
        throw;  // what the disk has is unknown
    } catch (...) {
        checkpoints_.journal().revoke_last();
        throw;
    }
}

void CommitPipeline::make_checkpoint_if_due() noexcept {
    if (store_state_ == StoreState::failed) return;
    try {
        if (checkpoints_.is_due()) settle();
        if (store_state_ == StoreState::failed) return;
        // It covers what LMDB has committed, and the journal goes on behind it. One that has become
        // due since that look has to wait: what is deferred would be in neither.
        if (deferred_.empty()) {
            checkpoints_.begin_if_due();
        } else {
            checkpoints_.hasten();
        }
        if (const auto failure = checkpoints_.failure()) give_up(*failure);
    } catch (const std::bad_alloc&) {
        // The next one is as good.
    } catch (const JournalError& error) {
        // Without room for the other segment the journal goes on in this one, as far as that goes.
        if (!error.is_full()) give_up(error.what());
    } catch (const std::exception& error) {
        give_up(error.what());
    }
}

void CommitPipeline::give_up(std::string_view what) noexcept {
    core::say_if_possible([&] { spdlog::critical("the store takes no more writes: {}", what); });
    store_state_ = StoreState::failed;
}

void CommitPipeline::apply(std::span<Committed> operations) {
    std::vector<bool> left_out(operations.size());
    while (const auto broken = apply_all_but(operations, left_out)) {
        left_out[*broken] = true;
        take_back(operations);
    }
}

std::optional<std::size_t> CommitPipeline::apply_all_but(std::span<Committed> operations,
                                                         const std::vector<bool>& left_out) {
    batch_.begin(store_clock_.read());
    for (std::size_t i = 0; i < operations.size(); ++i) {
        Committed& committed = operations[i];
        if (left_out[i]) {
            committed.result = core::Error(core::ErrorCode::internal);
            continue;
        }
        // Beyond a few it takes less to do them in halves or, without memory for anything, not at
        // all, than to do the others again for each of them.
        constexpr std::ptrdiff_t kFew = 8;
        const auto are_many = [&] { return std::ranges::count(left_out, true) >= kFew; };
        try {
            committed.result = batch_.apply(committed.op);
        } catch (const HalfDone& error) {
            if (are_many()) throw DamagedStore(error.what());
            batch_.abort();
            report_broken(env_, error.what());
            return i;
        } catch (const std::bad_alloc&) {
            if (are_many()) throw;
            batch_.abort();
            return i;
        }
    }
    return std::nullopt;
}

void CommitPipeline::commit_apart(std::span<Committed> operations, const char* why) {
    if (operations.size() == 1) {
        report_broken(env_, why);
        return fail_all(operations, core::ErrorCode::internal);
    }
    try {
        take_back(operations);
    } catch (const std::bad_alloc& error) {
        return fail(operations, error.what());
    }
    const std::size_t half = operations.size() / 2;
    for (const auto part : {operations.first(half), operations.subspan(half)}) {
        if (store_state_ == StoreState::failed) {
            fail_all(part, core::ErrorCode::storage_failed);
        } else {
            commit(part);
        }
    }
}

void CommitPipeline::take_back(std::span<Committed> operations) {
    for (Committed& committed : operations) {
        auto* append = std::get_if<AppendMessage>(&committed.op);
        const auto* appended =
            committed.result ? std::get_if<Appended>(&*committed.result) : nullptr;
        if (append != nullptr && appended != nullptr && !appended->duplicate) {
            append->draft = appended->message->draft;
        }
        committed.result = WriteValue(Done{});
    }
}

void CommitPipeline::fail(std::span<Committed> operations, const char* why) {
    core::say_if_possible([&] {
        if (const auto line = refusals_.admit(clock_.steady())) {
            spdlog::error("a batch failed: {}{}", why, line->note());
        }
    });
    fail_all(operations, core::ErrorCode::internal);
}

std::optional<core::ErrorCode> CommitPipeline::refusal() const noexcept {
    if (store_state_ == StoreState::failed) return core::ErrorCode::storage_failed;
    if (is_stranded()) return core::ErrorCode::storage_full;
    return std::nullopt;
}

void CommitPipeline::refuse(std::shared_ptr<CommittedBatch> batch, core::ErrorCode code) {
    fail_all(batch->operations, code);
    batch->head = head();
    batch->time = batch_.time();
    failed_batches_.add();
    announce(std::move(batch));
}

void CommitPipeline::fail_all(std::span<Committed> operations, core::ErrorCode code) {
    for (Committed& committed : operations) committed.result = core::Error(code);
}

}  // namespace agentcom::store
