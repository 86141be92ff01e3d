// The methods of the protocol, in both eras.

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "agentcom/mcp/mcp.hpp"
#include "mcp/envelope.hpp"
#include "mcp/resources.hpp"
#include "mcp/text.hpp"
#include "mcp/tools.hpp"

namespace agentcom::mcp {

namespace {

constexpr std::uint16_t kNotFound = 404;

void write_capabilities(const Context& context, JsonWriter& writer) {
    writer.key("capabilities").begin_object();
    writer.key("tools").begin_object().end_object();
    // By subscriptions/listen; legacy's resources/subscribe would need a session.
    writer.key("resources")
        .begin_object()
        .member_if("subscribe", context.era == Era::modern)
        .end_object();
    writer.key("prompts").begin_object().end_object();
    writer.end_object();
}

Step discover(const Envelope& envelope) {
    const Context& context = envelope.context;
    return step(result_answer(context, [&](JsonWriter& writer) {
        writer.key("supportedVersions").begin_array().string(kModernVersion).end_array();
        write_capabilities(context, writer);
        writer.member("instructions", instructions(context));
        write_lifetime(context, writer, kListLifetimeMs);
    }));
}

Step initialize(const Envelope& envelope) {
    const Context& context = envelope.context;
    const std::string asked = envelope.params.text("protocolVersion").value_or("");
    return step(result_answer(context, [&](JsonWriter& writer) {
        writer.member("protocolVersion", legacy_version(asked));
        write_capabilities(context, writer);
        writer.key("serverInfo");
        write_server_info(writer);
        writer.member("instructions", instructions(context));
    }));
}

Step ping(const Envelope& envelope) {
    return step(result_answer(envelope.context, [](JsonWriter&) {}));
}
Step tools_list(const Envelope& envelope) { return step(list_tools(envelope.context)); }
Step tools_call(const Envelope& envelope) { return call_tool(envelope.context, envelope.params); }

struct Method {
    std::string_view name;
    bool legacy = true;
    bool modern = true;
    Step (*run)(const Envelope& envelope) = nullptr;
    bool is_list = false;
};
constexpr auto kMethods = std::to_array<Method>({
    {"tools/call", true, true, tools_call},
    {"tools/list", true, true, tools_list, true},
    {"resources/read", true, true, read_resource},
    {"resources/list", true, true, list_resources, true},
    {"resources/templates/list", true, true, list_templates, true},
    {"prompts/list", true, true, list_prompts, true},
    {"prompts/get", true, true, get_prompt},
    {"subscriptions/listen", false, true, listen},
    {"server/discover", false, true, discover},
    {"initialize", true, false, initialize},
    {"ping", true, false, ping},
});

}  // namespace

Step begin(const Call& call) {
    auto opened = open_envelope(call);
    if (auto* answer = std::get_if<Answer>(&opened)) return step(std::move(*answer));
    const auto& envelope = std::get<Envelope>(opened);
    const bool modern = envelope.context.era == Era::modern;
    const auto method = std::ranges::find(kMethods, envelope.method, &Method::name);
    if (method == kMethods.end() || !(modern ? method->modern : method->legacy)) {
        return step(error_answer(envelope.context.id, RpcError::method_not_found,
                                 "Method not found: " + shortened(envelope.method),
                                 modern ? kNotFound : std::uint16_t{200}));
    }
    // Every list is given whole, so there is no cursor that could have come from here.
    if (method->is_list && envelope.params.text("cursor")) {
        return step(error_answer(envelope.context.id, RpcError::invalid_params,
                                 "Invalid cursor: the list has one page"));
    }
    Step first = method->run(envelope);
    auto* answer = std::get_if<Answer>(&first.what);
    if (answer == nullptr) return first;
    // What is known without the router costs as much as a ping, and is a sign of life like one.
    return Step{Ask{protocol::Ping{}, [context = envelope.context,
                                       answer = std::move(*answer)](protocol::Reply&& reply) {
                        return step(reply ? answer : router_error(context, reply.error()));
                    }}};
}

}  // namespace agentcom::mcp
