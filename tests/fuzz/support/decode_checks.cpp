#include "fuzz/support/decode_checks.hpp"

#include <optional>
#include <string>
#include <variant>

#include "agentcom/core/utf8.hpp"
#include "fuzz/support/broken.hpp"
#include "fuzz/support/json_checks.hpp"

namespace agentcom::fuzz {

using namespace protocol;

namespace {

bool is_short(const std::optional<std::string>& text, std::size_t most) {
    return !text || (text->size() <= most && core::is_valid_utf8(*text));
}

/// What the router and the store take for granted about a decoded request.
struct KeepsItsPromises {
    bool message(const core::JsonText& payload, const std::string& type,
                 const std::optional<std::string>& reply_to,
                 const std::optional<std::string>& key) const {
        return is_json(payload) && type.size() <= core::kMaxMessageTypeBytes &&
               core::is_valid_utf8(type) && is_short(reply_to, core::kMaxReplyToBytes) &&
               is_short(key, 128) && (!reply_to || !reply_to->empty()) && (!key || !key->empty());
    }
    bool operator()(const Identify& request) const {
        for (const auto* part : {&request.name, &request.status, &request.capabilities}) {
            if (*part && !is_json(**part)) return false;
        }
        return true;
    }
    bool operator()(const SendMessage& request) const {
        return !std::holds_alternative<core::ToChannel>(request.to) &&
               message(request.payload, request.type, request.reply_to, request.idempotency_key);
    }
    bool operator()(const Publish& request) const {
        return request.payload.text.starts_with('{') &&
               message(request.payload, request.type, request.reply_to, request.idempotency_key);
    }
    bool operator()(const SetStatus& request) const { return is_json(request.status); }
    bool operator()(const SetProfile& request) const {
        return is_json(request.status) && (!request.capabilities || is_json(*request.capabilities));
    }
    bool operator()(const ListDirectory& request) const {
        return request.range.limit <= 200 && is_short(request.capability, 256);
    }
    bool operator()(const ChannelHistory& request) const { return request.limit <= 200; }
    bool operator()(const QueryHistory& request) const {
        return request.limit <= 200 && is_short(request.from, ~std::size_t{0}) &&
               is_short(request.to, ~std::size_t{0});
    }
    bool operator()(const PollMailbox& request) const {
        return request.wait.count() >= 0 && request.wait.count() <= 60'000 &&
               core::is_valid_utf8(request.mailbox);
    }
    bool operator()(const protocol::PutSetting& request) const {
        return request.value > 0 && request.value <= ~std::uint64_t{0} / 2;
    }
    bool operator()(const protocol::CreateChannel& request) const {
        return request.description.size() <= 1'024 && core::is_valid_utf8(request.description);
    }
    bool operator()(const auto&) const { return true; }
};

}  // namespace

Frame check_frame(std::string_view text, bool identified) {
    Frame frame = decode_frame(text, identified);
    if (frame.ref) {
        require(is_json(*frame.ref) && frame.ref->text.size() <= 256, "a ref of another kind",
                text);
    }
    if (frame.request) {
        require(std::visit(KeepsItsPromises{}, *frame.request), "a request past its limits", text);
    } else {
        require(frame.request.error().code != core::ErrorCode::internal, "an internal error", text);
        // The answer repeats the ref and names fields: it must be JSON whatever came.
        core::Pieces answer;
        encode_frame(frame.request.error(), frame.ref, answer);
        require(is_json({answer.str()}), "the answer is no JSON", text);
    }
    return frame;
}

core::result<Request> check_http(const HttpInput& input) {
    auto request = decode_http(input);
    if (request) {
        require(std::visit(KeepsItsPromises{}, *request), "a request past its limits", input.body);
    } else {
        const HttpOutput answer = encode_http(request.error(), true);
        require(nlohmann::json::accept(answer.body.str()), "the answer is no JSON", input.body);
        require(answer.status >= 400 && answer.status < 500, "not the client's fault", input.body);
    }
    (void)token_in_ack_body(input.body);
    return request;
}

}  // namespace agentcom::fuzz
