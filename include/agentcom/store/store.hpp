#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "agentcom/core/page.hpp"
#include "agentcom/core/time.hpp"
#include "agentcom/store/records.hpp"
#include "agentcom/store/write_ops.hpp"

namespace agentcom::store {

enum class Durability : std::uint8_t {
    commit,   // every batch is in the journal, and that on disk, before its completions run
    relaxed,  // the journal is synced every sync_interval: a power cut may take that much
};

struct StoreCopy;  // store/backup.hpp
/// Told of a copy that was made in this directory before a store was brought to a newer schema, so
/// that it can be kept as other copies are. When it throws the store stays as it was.
using OnUpgradeCopy = std::function<void(const std::filesystem::path& directory, const StoreCopy&)>;

/// Of the options what may change while the store is open.
struct Quotas {
    std::uint64_t max_unclaimed_mailboxes = 10'000;  // recipients nobody holds a token for
    std::uint64_t max_channels = 100'000;
    std::uint64_t max_subscriptions_per_agent = 1'000;
    std::uint64_t max_members_per_channel = 1'000;
    std::uint64_t max_web_sessions_per_token = 16;  // at least 1; then the oldest end
    /// What one agent may take of the unclaimed mailboxes and of the channels, in percent; at least
    /// one of each.
    std::uint64_t share_percent = 25;
};

struct StoreOptions {
    std::filesystem::path directory;  // made with mode 0700 when missing; files are 0600
    std::size_t map_size = std::size_t{64} << 30;  // bytes of address space; the file is sparse
    Durability durability = Durability::commit;
    core::Millis sync_interval{100};  // relaxed only
    /// How long each of the journal's two segments may get, and so how much may have to be applied
    /// again when the store is opened after the machine has stopped.
    std::size_t journal_bytes = std::size_t{64} << 20;
    /// How often the store's file is synced while there are commits, so that the journal is short.
    core::Millis checkpoint_interval{1'000};
    /// Whether commits may be deferred until somebody reads (for 100 ms at most), so that many
    /// batches share one; who reads then waits for a moment.
    bool defer_commits = true;
    /// They are not while more readers than this would have to wait within 100 ms.
    std::uint64_t reads_that_wait = 5;
    /// How long a batch waits for more of a Burst each time that it has applied all there is; ten
    /// times as long altogether.
    std::chrono::microseconds longest_wait_for_burst{300};
    std::size_t max_queued_operations = 65'536;
    std::size_t max_queued_bytes = std::size_t{64} << 20;
    std::size_t max_batch_operations = 8'192;  // of one transaction
    core::Millis idempotency_window{120'000};
    /// Keys remembered at once, and no more than take about an eighth of the map; then the oldest
    /// go first.
    std::uint64_t max_idempotency_keys = 8'000'000;
    /// So much of the time in which no hub has the store open counts for the age of what is in it.
    core::Millis max_time_away{86'400'000};
    Quotas quotas{};
    std::uint64_t channel_history = 200;      // newest messages of a channel that outlive the log
    std::uint64_t history_messages = 10'000;  // newest messages the history shows
    core::Millis mailbox_ttl{604'800'000};    // default of the setting mailbox_ttl_ms
    /// The log keeps what history shows and what is younger than the time-to-live, unless one of
    /// these is passed; 0 = no bound of that kind. What channels keep counts, see TrimBounds.
    std::uint64_t retention_messages = 10'000'000;
    core::Millis retention_age{0};
    std::uint64_t retention_bytes = std::uint64_t{16} << 30;
    OnUpgradeCopy on_upgrade_copy{};  // may be empty
};

/// The store cannot be opened; `what()` is one sentence for the operator.
class StoreError : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

enum class StoreState : std::uint8_t {
    ok,
    full,    // the last batch found no room; reads go on, writes recover when there is room
    failed,  // a sync failed, or a change met a damaged page: writes are refused until a restart
};

/// The embedded store: one LMDB environment, one commit thread that owns its write transaction.
/// All members are thread-safe. Reads open and close a short transaction inside the call, see
/// everything committed before it, and return values that own their bytes; they throw
/// std::runtime_error only when the store is damaged. What a read looks at and returns is bounded
/// by the budget it is given.
class Store {
public:
    /// Opens or creates; throws StoreError (directory not writable, in use by another process,
    /// schema newer than this program, ...). Costs the same however much is stored, but for a store
    /// of an older schema, which is copied into `<directory>/backup-v<schema>-...` and brought
    /// up to date.
    [[nodiscard]] static std::unique_ptr<Store> open(StoreOptions options,
                                                     const core::Clock& clock);
    /// Stops (as `stop`) if still running.
    ~Store();
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    /// Starts the commit thread. `listener` may be null (command line tools) and must outlive
    /// `stop`.
    void start(CommitListener* listener);
    /// Commits everything submitted so far, runs the completions, ends the thread. Idempotent.
    void stop();

    /// Hands over operations, in order; they are moved from. With the queue full (see `saturated`)
    /// they are still taken: callers are expected to look at `saturated` before reading more input.
    /// After `stop` they complete at once with shutting_down.
    void submit(std::vector<Submission>&& submissions);
    void submit(Submission&& submission);
    /// While it lives, whoever made it hands over in parts what belongs together, because making it
    /// takes as long as applying it: each part is applied while the next is being made, and when
    /// the parts follow each other soon enough they are committed together. The store must outlive
    /// it.
    class Burst {
    public:
        explicit Burst(Store& store);
        ~Burst();
        Burst(const Burst&) = delete;
        Burst& operator=(const Burst&) = delete;

    private:
        Store& store_;
    };
    /// Submits and waits for the outcome; for start-up, the command line and tests only.
    [[nodiscard]] WriteResult submit_and_wait(WriteOp op);
    /// True while more waits than max_queued_operations or max_queued_bytes: for its commit, or for
    /// a loop to apply it. CommitListener::on_room says when that is over.
    [[nodiscard]] bool saturated() const noexcept;
    /// True while reads may lack what was announced last: the disk takes no writes, or has no room
    /// for what was announced.
    [[nodiscard]] bool lags() const noexcept;
    /// These hold for operations that are submitted from now on, and maybe for some that wait.
    void set_quotas(const Quotas& quotas);

    // Reads.
    [[nodiscard]] core::Epoch epoch() const noexcept;
    [[nodiscard]] StoreState state() const noexcept;
    [[nodiscard]] StoreStats stats() const;
    [[nodiscard]] CommitFigures commit_figures() const;
    [[nodiscard]] JournalFigures journal_figures() const;
    /// Since when the commit thread is busy with what it is doing, by the machine's clock; nothing:
    /// it waits for work. Long is a disk that hangs.
    [[nodiscard]] std::optional<core::SteadyTime> busy_since() const noexcept;
    [[nodiscard]] core::Seq head() const noexcept;
    /// The store's own time, which ages are counted by: it goes on by what elapses, whatever the
    /// wall clock is set to. Operations that compare with a time mean this one.
    [[nodiscard]] core::Timestamp time() const;

    [[nodiscard]] std::optional<TokenRecord> find_token(const core::TokenDigest& digest) const;
    /// Whether or not it has expired; one whose token has gone has gone with it.
    [[nodiscard]] std::optional<WebSessionRecord> find_web_session(
        const core::TokenDigest& digest) const;
    /// Those behind the cursor of an earlier page (empty: from the beginning). Error invalid_field
    /// when the cursor is not one. With an agent: only its own.
    [[nodiscard]] core::result<TokenPage> list_tokens(
        std::string_view cursor, core::Budget& budget,
        const std::optional<std::string_view>& agent = {}) const;
    /// Whether anybody holds a token for the agent.
    [[nodiscard]] bool has_token(std::string_view agent) const;

    /// Nothing when nobody holds a token for the agent that is good at this time.
    [[nodiscard]] std::optional<HolderRecord> find_holder(std::string_view agent,
                                                          core::Timestamp now) const;
    /// Those who hold a token that is good at this time, behind `after` (empty: from the
    /// beginning), in the order of TokenPage.
    [[nodiscard]] core::Page<HolderRecord> list_holders(std::string_view after, core::Timestamp now,
                                                        core::Budget& budget) const;

    /// Reads on, with the same query, until the budget's steps are used up or the view is complete.
    /// The messages are the first that the budget takes; with a visitor they are handed to it, and
    /// not put into the view.
    void read_mailbox(const MailboxQuery& query, core::Budget& budget, MailboxView& view,
                      const MessageVisitor& visit = nullptr) const;
    [[nodiscard]] core::Seq mailbox_cursor(const core::AgentId& agent) const;
    [[nodiscard]] ConnectionStart connection_start(const core::AgentId& agent) const;

    /// Nothing when there is none, or the viewer (nobody: everybody) may not know of it.
    [[nodiscard]] std::optional<ChannelRecord> find_channel(
        const core::ChannelName& name, const std::optional<Viewer>& viewer = {}) const;
    [[nodiscard]] MemberRights member_rights(const core::ChannelName& name,
                                             std::string_view agent) const;
    /// As many as a channel may have, sorted.
    [[nodiscard]] std::vector<ChannelMember> members(const core::ChannelName& name) const;
    // Lists, sorted, of what lies behind `after` (empty: from the beginning).
    [[nodiscard]] ChannelPage list_channels(std::string_view after, core::Budget& budget,
                                            const std::optional<Viewer>& viewer = {}) const;
    [[nodiscard]] core::Page<core::AgentId> subscribers(const core::ChannelName& name,
                                                        std::string_view after,
                                                        core::Budget& budget) const;
    [[nodiscard]] ChannelNamePage subscriptions(std::string_view agent, std::string_view after,
                                                core::Budget& budget,
                                                const std::optional<Viewer>& viewer = {}) const;

    [[nodiscard]] ChannelHistoryPage channel_history(const ChannelHistoryQuery& query,
                                                     core::Budget& budget) const;
    [[nodiscard]] MessagePage history(const HistoryQuery& query, core::Budget& budget) const;
    // For those who count.
    /// Shows the visitor all messages of the log behind `after`, oldest first, for as many steps as
    /// the budget has.
    [[nodiscard]] LogWalk walk_log(core::Seq after, core::Budget& budget,
                                   const LogVisitor& visit) const;
    /// The first message with this timestamp or a later one; behind the newest when there is none.
    [[nodiscard]] core::Seq first_sent_at_or_after(core::Timestamp time) const;
    /// The timestamp of a message of the log.
    [[nodiscard]] std::optional<core::Timestamp> sent_at(core::Seq seq) const;
    /// Names that nobody holds a token for and that mail was sent to, behind `after` (empty: from
    /// the beginning), in the order of their bytes.
    [[nodiscard]] core::Page<core::AgentId> list_unclaimed(std::string_view after,
                                                           core::Budget& budget) const;
    /// Of the messages behind `after`.
    [[nodiscard]] DeliveryCounts count_deliveries(std::string_view agent, core::Seq after,
                                                  core::Budget& budget) const;

    /// Nothing when there is no such message (any more).
    [[nodiscard]] core::MessagePtr find_message(core::Seq seq) const;
    /// The same by its id, or by its seq in decimal digits, for this viewer (nobody: everybody).
    [[nodiscard]] core::MessagePtr find_message(std::string_view id,
                                                const std::optional<Viewer>& viewer) const;
    /// Root of the thread that the message with this id belongs to; the id itself when it answers
    /// nothing that the store knows.
    /// What the viewer (nobody: everybody) may not see is as if the store did not know it.
    [[nodiscard]] std::string thread_root(std::string_view message_id,
                                          const std::optional<Viewer>& viewer = {}) const;
    /// Messages of the thread with this root after `cursor`, oldest first, the root included.
    [[nodiscard]] MessagePage thread(std::string_view root, core::Seq cursor, core::Budget& budget,
                                     const std::optional<Viewer>& viewer = {}) const;
    /// Direct replies to the message after `cursor`, oldest first.
    [[nodiscard]] MessagePage replies(std::string_view message_id, core::Seq cursor,
                                      core::Budget& budget,
                                      const std::optional<Viewer>& viewer = {}) const;

    [[nodiscard]] std::optional<std::uint64_t> setting(std::string_view name) const;
    /// As configured: what holds as long as the setting of that name has not been written.
    [[nodiscard]] core::Millis mailbox_ttl() const noexcept;

private:
    class Impl;
    explicit Store(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace agentcom::store
