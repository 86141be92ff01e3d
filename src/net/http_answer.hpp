#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agentcom/core/error.hpp"
#include "agentcom/protocol/codec.hpp"

namespace agentcom::net {

/// What one HTTP request is answered with.
struct HttpAnswer {
    std::uint16_t status = 200;
    std::string body;
    bool html = false;  // else JSON
    std::string allow;  // the Allow header, when not empty
    std::optional<std::uint32_t> retry_after_s;
};

/// `hint`: a 401 says how to send a token.
[[nodiscard]] HttpAnswer to_answer(protocol::HttpOutput output);
[[nodiscard]] HttpAnswer error_answer(core::Error error, bool hint = false);

/// How the answer goes out.
struct AnswerForm {
    bool http_1_0 = false;
    bool keep_alive = true;
    bool without_body = false;  // HEAD: the headers say what GET would send
};
/// Appends the response's text.
void append_answer(const HttpAnswer& answer, AnswerForm form, std::string& out);

}  // namespace agentcom::net
