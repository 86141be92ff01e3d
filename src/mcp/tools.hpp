#pragma once

#include <span>
#include <string>
#include <string_view>

#include "mcp/arguments.hpp"
#include "mcp/envelope.hpp"

namespace agentcom::mcp {

/// One tool: what clients are told of it, and what it does with arguments that fit its specs.
struct Tool {
    std::string_view name;
    std::string_view title;
    std::string_view description;
    std::span<const ArgumentSpec> arguments;
    bool core = true;          // otherwise only with the full profile
    bool reads_only = true;    // annotations, as MCP defines them
    bool idempotent = true;    // of what does not only read
    bool always_load = false;  // Claude Code shows its schema without being asked
    Step (*run)(const Context& context, const Arguments& arguments);
};

/// In the order in which clients are shown them: the core first.
[[nodiscard]] std::span<const Tool> tools() noexcept;
/// What a server says of itself once, to the model.
[[nodiscard]] std::string instructions(const Context& context);

[[nodiscard]] Answer list_tools(const Context& context);
[[nodiscard]] Step call_tool(const Context& context, const Object& params);

/// A tool's result; `structured` is a JSON object, or empty.
[[nodiscard]] Answer tool_result(const Context& context, std::string_view text,
                                 std::string_view structured = {});
/// What went wrong, and what to do.
[[nodiscard]] Answer tool_error(const Context& context, std::string_view advice);
[[nodiscard]] Answer tool_error(const Context& context, const core::Error& error);
[[nodiscard]] inline Step step(Answer answer) { return Step{std::move(answer)}; }

/// Asks the router; `then` is given what it answers, and its errors become the tool's.
template <class Value, class Then>
[[nodiscard]] Step ask(const Context& context, protocol::Request request, Then then) {
    return Step{Ask{std::move(request),
                    [context, then = std::move(then)](protocol::Reply&& reply) mutable -> Step {
                        if (!reply) return step(tool_error(context, reply.error()));
                        if constexpr (protocol::kMaybeShared<Value>) {
                            // Those who ask for the same share a page.
                            if (auto* shared = std::get_if<protocol::Shared<Value>>(&*reply)) {
                                return then(Value(**shared));
                            }
                        }
                        return then(std::move(std::get<Value>(*reply)));
                    }}};
}

/// The same for what only adds to an answer: `then` is given null when it is refused.
template <class Value, class Then>
[[nodiscard]] Step look_up_then(protocol::Request request, Then then) {
    return Step{
        Ask{std::move(request), [then = std::move(then)](protocol::Reply&& reply) mutable -> Step {
                return then(reply ? std::get_if<Value>(&*reply) : nullptr);
            }}};
}

// The tools, by area.
[[nodiscard]] Step check_inbox(const Context& context, const Arguments& arguments);
[[nodiscard]] Step wait_for_message(const Context& context, const Arguments& arguments);
[[nodiscard]] Step read_message(const Context& context, const Arguments& arguments);
[[nodiscard]] Step ack(const Context& context, const Arguments& arguments);
[[nodiscard]] Step send_message(const Context& context, const Arguments& arguments);
[[nodiscard]] Step publish(const Context& context, const Arguments& arguments);
[[nodiscard]] Step set_status(const Context& context, const Arguments& arguments);
[[nodiscard]] Step list_agents(const Context& context, const Arguments& arguments);
[[nodiscard]] Step read_thread(const Context& context, const Arguments& arguments);
[[nodiscard]] Step history(const Context& context, const Arguments& arguments);
[[nodiscard]] Step list_channels(const Context& context, const Arguments& arguments);
[[nodiscard]] Step create_channel(const Context& context, const Arguments& arguments);
[[nodiscard]] Step subscribe(const Context& context, const Arguments& arguments);
[[nodiscard]] Step unsubscribe(const Context& context, const Arguments& arguments);

}  // namespace agentcom::mcp
