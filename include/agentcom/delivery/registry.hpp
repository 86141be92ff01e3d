#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "agentcom/core/ids.hpp"
#include "agentcom/core/message.hpp"
#include "agentcom/delivery/faults.hpp"
#include "agentcom/delivery/presence_feed.hpp"
#include "agentcom/delivery/session.hpp"
#include "agentcom/delivery/sliced_list.hpp"
#include "agentcom/delivery/waiters.hpp"
#include "agentcom/store/write_ops.hpp"

namespace agentcom::delivery {

/// Who is connected to one event loop, and the fan-out to them. Lives on that loop's thread: no
/// locks. A message is encoded at most once per loop and kind of
/// session, whatever the number of its receivers. Work
/// that grows with the number of sessions is queued and done in slices by `work`, in order, while
/// sessions come and go in between. What throws ends its session or its operation, not the loop.
class Registry {
public:
    /// `budget` counts the frames that many sessions share; without one nobody does.
    explicit Registry(store::LoopIndex loop = 0, OutputBudget* budget = nullptr)
        : loop_(loop), budget_(budget) {}
    Registry(const Registry&) = delete;
    Registry& operator=(const Registry&) = delete;

    /// Adds an identified session under these channel subscriptions. If it wants presence frames,
    /// it is told of changes after this version.
    void add(Session& session, const std::vector<core::ChannelName>& channels,
             std::uint64_t presence_version = 0);
    void remove(Session& session);
    [[nodiscard]] Session* find(const core::AgentId& agent, std::uint64_t session_id) const;
    /// The agent's sessions, its streams among them.
    [[nodiscard]] std::vector<Session*> of_agent(const core::AgentId& agent) const;
    [[nodiscard]] std::size_t size() const noexcept { return sessions_.size(); }

    /// Whether more comes of it than its completion: something that other loops push or take note
    /// of. Positions of readers and uses of tokens are known from the store alone.
    [[nodiscard]] static bool concerns_others(const store::Committed& entry) noexcept;
    /// Queues the committed facts. They are applied in order: completions of this loop's own
    /// operations run, each before the deliveries that follow from it, then they are pushed to the
    /// sessions concerned. The batch is let go of when all of it has been applied.
    void enqueue(std::shared_ptr<store::CommittedBatch> batch);
    /// Newest message whose delivery has begun: everything up to it is pushed to the sessions that
    /// were registered when it began, so whoever registers now begins behind it.
    [[nodiscard]] core::Seq applied_head() const noexcept { return applied_head_; }
    void set_applied_head(core::Seq head) noexcept { applied_head_ = head; }

    /// Queues a call of the function with every session. It may close sessions but not add or
    /// remove any.
    void for_each(std::function<void(Session&)> function);
    /// Queues that all long polls are woken.
    void wake_all_waiters();

    [[nodiscard]] bool has_work() const noexcept { return !jobs_.empty(); }
    /// Goes on with what is queued for about so many steps; a step is a completion, or a push of a
    /// few kilobytes. Returns how many it took.
    std::size_t work(std::size_t steps);

    /// Closes the session of this agent with this number, if it is here.
    void close(const core::AgentId& agent, std::uint64_t session_id, protocol::CloseCode code);

    [[nodiscard]] Waiters& waiters() noexcept { return waiters_; }
    [[nodiscard]] PresenceFeed& presence() noexcept { return presence_; }
    [[nodiscard]] Faults& faults() noexcept { return faults_; }

private:
    struct Place {
        static void set(Session& session, std::uint32_t, std::uint32_t index) {
            session.listing.session_place = index;
        }
    };
    /// One of them is set.
    struct Job {
        std::shared_ptr<store::CommittedBatch> batch;
        std::function<void(Session&)> visit;
        bool wake_all = false;
    };
    /// How far the oldest job has been done.
    enum class Stage : std::uint8_t { begin, sessions, waiters };
    enum class Reach : std::uint8_t { nobody, everyone, channel };
    struct Progress {
        std::size_t operation = 0;
        Stage stage = Stage::begin;
        Reach reach = Reach::nobody;
    };

    std::size_t apply(store::CommittedBatch& batch, std::size_t steps);
    std::size_t begin(store::Committed& entry);
    std::size_t begin_sessions(const store::Committed& entry);
    std::size_t continue_sessions(const store::Committed& entry, std::size_t steps);
    void finish_sessions(const store::Committed& entry);
    std::size_t visit_sessions(const std::function<void(Session&)>& function, std::size_t steps);
    [[nodiscard]] Session* next_session();
    void finish_job();

    std::size_t deliver_to(Session& session, const core::Message& message) noexcept;
    std::size_t announce_to(Session& session, const store::Subscribe& op) noexcept;
    /// `encode` appends the event's text.
    template <class Encode>
    void push(Session& session, core::Seq seq, Encode encode);
    void fail(Session& session) noexcept;
    void revoked(std::string_view agent);

    store::LoopIndex loop_;
    OutputBudget* budget_;
    Faults faults_;
    PresenceFeed presence_{faults_, budget_};
    Waiters waiters_{faults_};
    // A few sessions per agent: the present one, for a moment those being replaced, and streams.
    std::unordered_map<core::AgentId, std::vector<Session*>, core::TextHash, core::TextEqual>
        by_agent_;
    ChannelIndex<Session> by_channel_;
    SlicedList<Session, Place> sessions_;
    Fifo<Job, 64> jobs_;
    Progress progress_;
    FramedEvent event_;  // of the operation in progress, made for the first who needs it
    core::Seq applied_head_;
    std::string scratch_;
};

}  // namespace agentcom::delivery
