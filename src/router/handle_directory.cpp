// Who there is, connected or not: one agent, all of them, and what an agent says of itself.

#include <algorithm>
#include <array>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agentcom/protocol/json_scanner.hpp"
#include "router/impl.hpp"

namespace agentcom::router {

namespace {

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

/// How many slips of the hand make one name of the other, letter case aside: a character too many,
/// too few, or wrong, or two that changed places. Beyond `most` it does not matter how many, so
/// only what lies that near the diagonal is compared, and no further than it can still matter.
std::size_t distance(std::string_view left, std::string_view right, std::size_t most) {
    const std::size_t longer = std::max(left.size(), right.size());
    const std::size_t far = most + 1;
    if (longer - std::min(left.size(), right.size()) > most || longer > core::kMaxAgentIdBytes) {
        return far;
    }
    const auto equal = [&](std::size_t i, std::size_t j) {
        return lower(left[i]) == lower(right[j]);
    };
    using Row = std::array<std::size_t, core::kMaxAgentIdBytes + 1>;
    std::array<Row, 3> rows;
    std::size_t least_before = 0;
    for (std::size_t j = 0; j <= right.size(); ++j) rows[0][j] = std::min(j, far);
    for (std::size_t i = 1; i <= left.size(); ++i) {
        const Row& two_before = rows[(i + 1) % 3];
        const Row& before = rows[(i + 2) % 3];
        Row& row = rows[i % 3];
        const std::size_t first = i > most ? i - most : 1;
        const std::size_t last = std::min(right.size(), i + most);
        row[first - 1] = first == 1 ? std::min(i, far) : far;
        std::size_t least = row[first - 1];
        for (std::size_t j = first; j <= last; ++j) {
            // Above the band, where no row before this one has been filled, it is too far.
            const std::size_t above = j == i + most ? far : before[j];
            const std::size_t wrong = equal(i - 1, j - 1) ? 0 : 1;
            row[j] = std::min({above + 1, row[j - 1] + 1, before[j - 1] + wrong, far});
            if (i > 1 && j > 1 && equal(i - 1, j - 2) && equal(i - 2, j - 1)) {
                row[j] = std::min(row[j], two_before[j - 2] + 1);
            }
            least = std::min(least, row[j]);
        }
        // Two that changed places may still take one from the row before this one.
        if (least > most && (i == 1 || least_before > most)) return far;
        least_before = least;
    }
    return rows[left.size() % 3][right.size()];
}

/// Whether the text stands in the array as a string, letter case aside.
bool lists(const core::JsonText& array, std::string_view wanted) {
    if (!array.text.starts_with('[')) return false;
    return std::ranges::any_of(
        protocol::JsonScanner::elements(array.text), [&](const protocol::JsonValue& element) {
            if (element.kind != protocol::JsonKind::string) return false;
            if (element.escaped) {
                return std::ranges::equal(protocol::decode_json_string(element.raw, true), wanted,
                                          {}, lower, lower);
            }
            return std::ranges::equal(element.raw.substr(1, element.raw.size() - 2), wanted, {},
                                      lower, lower);
        });
}

constexpr std::size_t kMostAlike = 3;
/// Names that are compared with one that nobody has.
constexpr std::size_t kMostCompared = 1'000;
/// Capabilities that are looked through for one page.
constexpr std::uint64_t kMostLookedThrough = std::uint64_t{256} << 10;

}  // namespace

/// Counts what is unread of some agents, one after the other, each in as many turns of the loop as
/// it takes; then answers.
struct Router::Impl::Lookup final : std::enable_shared_from_this<Lookup> {
    using Finish = std::function<protocol::ReplyValue(std::vector<protocol::AgentDetails>&&)>;

    Lookup(Impl& the_router, Context&& context, std::vector<protocol::AgentDetails> of, Finish how)
        : router(the_router),
          loop(context.loop),
          caller(context.caller),
          reply(std::move(context.reply)),
          agents(std::move(of)),
          finish(std::move(how)) {}

    void go_on() {
        try {
            while (at < agents.size()) {
                if (!count()) {
                    return loop.reads().go_on(
                        owner_of(caller), [self = shared_from_this()] { self->go_on(); }, [] {});
                }
            }
        } catch (const std::exception&) {
            loop.registry().faults().report("look-up of agents");
            return reply(core::Error(core::ErrorCode::internal));
        }
        reply(finish(std::move(agents)));
    }
    /// One turn of counting; whether the next agent's may follow at once.
    bool count() {
        protocol::AgentDetails& agent = agents[at];
        if (!read) {
            read.emplace(router.mailbox_.poll(agent.agent, core::Seq{},
                                              {.count = protocol::AgentDetails::kMostCounted}));
        }
        const bool over = router.mailbox_.go_on(*read);
        agent.unread += read->view.messages.size();
        read->view.messages.clear();
        if (!over) return false;
        agent.more_unread = read->view.more || read->view.truncated;
        router.charge(caller, read->budget);
        const bool cheap = read->budget.walked() < kCheap;
        read.reset();
        ++at;
        return cheap;
    }

    static constexpr std::uint64_t kCheap = 64;
    Impl& router;
    delivery::EventLoop& loop;
    Caller caller;
    Answer reply;
    std::vector<protocol::AgentDetails> agents;
    Finish finish;
    std::size_t at = 0;
    std::optional<services::Mailbox::Read> read;
};

protocol::AgentDetails Router::Impl::details(const core::AgentId& agent,
                                             std::optional<core::Role> role) const {
    protocol::AgentDetails details{.agent = agent, .known = role.has_value()};
    if (role) details.role = *role;
    if (auto kept = roster_.find(agent.str())) {
        if (kept->last_seen.ms != 0) details.last_seen = kept->last_seen;
        details.status = std::move(kept->status);
        details.capabilities = std::move(kept->capabilities);
    }
    if (auto present = presence_.find(agent)) {
        details.connected = true;
        details.last_seen = clock_.now();
        details.status = std::move(present->profile.status);
        details.capabilities = std::move(present->profile.capabilities);
    }
    return details;
}

std::vector<std::string> Router::Impl::names_like(const std::string& name,
                                                  core::Budget& budget) const {
    const std::size_t most = std::clamp<std::size_t>(name.size() / 3, 1, 3);
    std::vector<std::pair<std::size_t, std::string>> alike;
    // Names are listed by their length. None that is shorter than this is alike.
    const auto page = auth_.holders(
        name.size() > most + 1 ? std::string(name.size() - most - 1, '\xff') : std::string(),
        budget);
    for (const store::HolderRecord& holder : page.entries) {
        const std::string& known = holder.agent.str();
        std::size_t far = distance(name, known, most);
        const bool longer = name.size() >= 3 && known.starts_with(name);
        if (far > most && longer) far = most;
        if (far <= most) alike.emplace_back(far, known);
    }
    std::ranges::stable_sort(alike, {}, &std::pair<std::size_t, std::string>::first);
    std::vector<std::string> names;
    for (auto& [far, known] : alike) {
        if (names.size() < kMostAlike) names.push_back(std::move(known));
    }
    return names;
}

void Router::Impl::operate(Context context, protocol::GetAgent request) {
    auto agent = core::AgentId::parse_issued(request.agent);
    if (!agent) return context.reply(std::move(agent.error()));
    const auto holder = auth_.holder(agent->str());
    protocol::AgentDetails found =
        details(*agent, holder ? std::optional(holder->role) : std::nullopt);
    if (!request.in_full) return context.reply(protocol::ReplyValue(std::move(found)));
    if (!found.known) {
        core::Budget budget({.steps = kMostCompared});
        found.similar = names_like(agent->str(), budget);
        charge(context.caller, budget);
    }
    std::vector<protocol::AgentDetails> one;
    one.push_back(std::move(found));
    std::make_shared<Lookup>(*this, std::move(context), std::move(one),
                             [](std::vector<protocol::AgentDetails>&& agents) {
                                 return protocol::ReplyValue(std::move(agents.front()));
                             })
        ->go_on();
}

void Router::Impl::operate(Context context, protocol::ListDirectory request) {
    core::Budget budget(
        page_limit(context, request.capability ? core::kUnbounded : request.range.limit));
    const auto page = auth_.holders(request.range.cursor, budget);
    std::vector<protocol::AgentDetails> agents;
    std::optional<std::string> next;
    std::uint64_t bytes = 0;
    std::uint64_t looked_at = 0;
    for (std::size_t i = 0; i < page.entries.size(); ++i) {
        const store::HolderRecord& holder = page.entries[i];
        protocol::AgentDetails each = details(holder.agent, holder.role);
        const std::uint64_t size = each.capabilities ? each.capabilities->text.size() : 0;
        // What is looked through and not shown costs as much.
        looked_at += size;
        if (!request.capability ||
            (each.capabilities && lists(*each.capabilities, *request.capability))) {
            bytes += size + (each.status ? each.status->text.size() : 0);
            agents.push_back(std::move(each));
        }
        // Whoever looks for what few can goes on behind what was looked through.
        const bool full = agents.size() >= request.range.limit ||
                          bytes >= options_.max_page_bytes / 2 ||
                          (request.capability && looked_at >= kMostLookedThrough);
        if (full && i + 1 < page.entries.size()) {
            next = holder.agent.str();
            break;
        }
    }
    if (!next && page.more && !page.entries.empty()) next = page.entries.back().agent.str();
    charge(context.caller, budget);
    charge(context.caller, std::max(bytes, looked_at));
    std::make_shared<Lookup>(
        *this, std::move(context), std::move(agents),
        [next](std::vector<protocol::AgentDetails>&& found) {
            return protocol::ReplyValue(protocol::AgentDirectory{std::move(found), next});
        })
        ->go_on();
}

void Router::Impl::operate(Context context, protocol::SetProfile request) {
    const core::AgentId& agent = *context.caller.agent;
    for (const auto& [field, part] :
         {std::pair("status", &request.status),
          std::pair("capabilities", request.capabilities ? &*request.capabilities : nullptr)}) {
        if (auto error = refuse_long(field, part)) return context.reply(std::move(*error));
    }
    analytics_.seen(agent, clock_.now());
    if (!announce_profile(agent, request)) {
        roster_.declare(agent, std::move(request.status), std::move(request.capabilities),
                        clock_.now());
    }
    if (request.card) roster_.show_card(agent, *request.card);
    context.reply(protocol::ReplyValue(protocol::StatusUpdated{}));
}

void Router::Impl::operate(Context context, protocol::GetHubCard request) {
    context.reply(protocol::ReplyValue(protocol::AgentCard{std::move(request.base_url)}));
}

void Router::Impl::operate(Context context, protocol::GetAgentCard request) {
    // Whoever asks has no token: of an agent that does not allow it, it is not told that it exists.
    const auto agent = core::AgentId::parse_issued(request.agent);
    const auto kept = agent ? roster_.find(agent->str()) : std::nullopt;
    const auto holder = kept && kept->card ? auth_.holder(agent->str()) : std::nullopt;
    if (!holder) {
        return context.reply(
            core::Error(core::ErrorCode::not_found, {}, "there is no agent that shows its card"));
    }
    context.reply(protocol::ReplyValue(
        protocol::AgentCard{std::move(request.base_url), details(*agent, holder->role)}));
}

}  // namespace agentcom::router
