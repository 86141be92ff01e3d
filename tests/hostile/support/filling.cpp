#include "hostile/support/filling.hpp"

namespace agentcom::test {

std::vector<std::string> create_tokens(HubProcess& hub, const std::string& prefix,
                                       std::size_t count) {
    std::vector<std::string> tokens = ask_many(hub.port(), count, [&](std::size_t i) {
        const std::string body = R"({"agent_id":")" + prefix + '-' + std::to_string(i) + "\"}";
        return post_request("/admin/tokens", hub.admin_token(), body);
    });
    for (std::string& token : tokens) {
        token = nlohmann::json::parse(token).at("token").get<std::string>();
    }
    return tokens;
}

std::string message_frame(std::string_view to, std::size_t size) {
    std::string frame = R"({"type":"message","to":")";
    frame.append(to).append(R"(","payload":{"text":")").append(size, 'x');
    return frame + "\"}}";
}

std::string message_body(std::string_view to, std::size_t size, std::string_view reply_to) {
    std::string body = "{";
    if (!to.empty()) body.append(R"("to":")").append(to).append("\",");
    if (!reply_to.empty()) body.append(R"("reply_to":")").append(reply_to).append("\",");
    return body.append(R"("payload":{"text":")").append(size, 'x') + "\"}}";
}

}  // namespace agentcom::test
