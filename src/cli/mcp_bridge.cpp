#include "cli/mcp_bridge.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "cli/command.hpp"
#include "cli/event_reader.hpp"
#include "cli/json_view.hpp"

namespace agentcom::cli {
namespace {

constexpr core::Millis kTimeToSend{10'000};
constexpr core::Millis kTimeToAnswer{120'000};
/// A stream of the hub has a comment at least every 15 seconds.
constexpr core::Millis kSilenceOfStream{90'000};
constexpr core::Millis kGrace{30'000};
constexpr std::size_t kMaxRequests = 64;

// JSON-RPC's codes.
constexpr int kInternalError = -32'603;
constexpr int kInvalidRequest = -32'600;

/// A value as it may stand in a header: what is not plain ASCII goes as base64.
std::string header_value(const std::string& text) {
    const bool plain = !text.starts_with("=?") && !text.starts_with(' ') && !text.ends_with(' ') &&
                       std::ranges::all_of(text, [](char c) { return c >= ' ' && c < 0x7F; });
    if (plain) {
        return text;
    }
    std::string encoded(4 * ((text.size() + 2) / 3) + 1, '\0');
    const int size = ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                                       reinterpret_cast<const unsigned char*>(text.data()),
                                       static_cast<int>(text.size()));
    encoded.resize(static_cast<std::size_t>(size));
    return "=?base64?" + encoded + "?=";
}

/// What `Mcp-Name` says: which tool, prompt, resource or task.
JsonView name_in(JsonView params) {
    for (const char* key : {"name", "uri", "taskId"}) {
        if (const JsonView value = params[key]; value.is_text()) {
            return value;
        }
    }
    return {};
}

}  // namespace

McpBridge::McpBridge(HubAddress address, std::string token,
                     std::function<void(std::string_view)> out)
    : address_(std::move(address)), token_(std::move(token)), out_(std::move(out)) {}

McpBridge::~McpBridge() {
    {
        const std::lock_guard lock(mutex_);
        for (Request& request : requests_) {
            request.cancelled = true;
            if (request.answer) {
                request.answer->cut();
            }
        }
    }
    for (Request& request : requests_) {
        request.thread.join();
    }
}

void McpBridge::run(std::istream& in) {
    std::string line;
    while (std::getline(in, line)) {
        reap();
        if (line.find_first_not_of(" \t\r") != std::string::npos) {
            take(std::exchange(line, {}));
        }
    }
    std::unique_lock lock(mutex_);
    const auto settled = [&] {
        return failure_ || std::ranges::all_of(requests_, [](const Request& request) {
                   return request.done || request.streams;
               });
    };
    (void)finished_.wait_for(lock, kGrace, settled);
    if (failure_) {
        std::rethrow_exception(failure_);
    }
}

void McpBridge::reap() {
    const std::lock_guard lock(mutex_);
    if (failure_) {
        std::rethrow_exception(failure_);
    }
    for (auto at = requests_.begin(); at != requests_.end();) {
        if (at->done) {
            at->thread.join();
            at = requests_.erase(at);
        } else {
            ++at;
        }
    }
}

void McpBridge::take(std::string line) {
    const JsonView message(line);
    const std::string method = message["method"].text();
    if (method == "notifications/cancelled" &&
        cancel(std::string(message["params"]["requestId"].raw()))) {
        return;
    }
    const std::string id(message["id"].raw());
    const std::lock_guard lock(mutex_);
    if (requests_.size() >= kMaxRequests) {
        Request refused{.text = {}, .id = id, .method = method, .answer = {}, .thread = {}};
        emit_error(refused, kInvalidRequest, "too many requests wait for their answers");
        return;
    }
    Request& request = requests_.emplace_back();
    request.text = std::move(line);
    request.id = id;
    request.method = method;
    request.thread = std::thread([this, &request] { carry(request); });
}

bool McpBridge::cancel(const std::string& id) {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find_if(requests_, [&](const Request& request) {
        return !id.empty() && request.id == id && !request.done;
    });
    if (found == requests_.end()) {
        return false;
    }
    found->cancelled = true;
    if (found->answer) {
        found->answer->cut();
    }
    return true;
}

void McpBridge::carry(Request& request) {
    std::exception_ptr failure;
    try {
        try {
            exchange(request);
        } catch (const HubError& error) {
            const std::lock_guard lock(mutex_);
            emit_error(request, kInternalError, advice_for(error));
        }
    } catch (...) {
        failure = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    request.done = true;
    request.answer.reset();  // and with it the connection
    if (failure && !failure_) {
        failure_ = failure;
    }
    finished_.notify_all();
}

HttpRequest McpBridge::http_request(const Request& request) {
    HttpRequest http{.verb = "POST",
                     .target = "/mcp",
                     .body = request.text,
                     .headers = {{"Accept", "application/json, text/event-stream"}},
                     .repeatable = false};
    const JsonView params = JsonView(request.text)["params"];
    std::string version = params["_meta"]["io.modelcontextprotocol/protocolVersion"].text();
    if (version.empty()) {
        const std::lock_guard lock(mutex_);
        version = version_;
    }
    if (!version.empty()) {
        http.headers.emplace_back("MCP-Protocol-Version", header_value(version));
    }
    if (!request.method.empty()) {
        http.headers.emplace_back("Mcp-Method", header_value(request.method));
    }
    if (const JsonView name = name_in(params); name.exists()) {
        http.headers.emplace_back("Mcp-Name", header_value(name.text()));
    }
    return http;
}

void McpBridge::exchange(Request& request) {
    HubClient client(address_, token_);
    std::shared_ptr<AnswerStream> answer =
        client.open(http_request(request), from_now(kTimeToSend));
    {
        const std::lock_guard lock(mutex_);
        if (request.cancelled) {
            return;
        }
        request.answer = answer;
    }
    const Deadline deadline = from_now(kTimeToAnswer);
    HttpAnswer head = answer->head(deadline);
    if (head.content_type == "text/event-stream") {
        pass_events(request);
        return;
    }
    AnswerStream::Read read = AnswerStream::Read::some;
    while (read == AnswerStream::Read::some && head.body.size() <= EventReader::kMaxEventBytes) {
        read = answer->read(head.body, deadline);
    }
    if (read != AnswerStream::Read::end) {
        throw HubError(HubError::Kind::late, "the hub's answer does not end");
    }
    pass_document(request, std::move(head));
}

void McpBridge::pass_document(Request& request, HttpAnswer answer) {
    const JsonView body(answer.body);
    const bool rpc = body.is_array() || body["jsonrpc"].exists();
    const std::lock_guard lock(mutex_);
    if (rpc) {
        if (request.method == "initialize") {
            version_ = body["result"]["protocolVersion"].text();
        }
        emit(request, answer.body);
    } else if (answer.status >= 300) {
        emit_error(request, kInternalError, advice_for(refusal(answer)));
    } else if (!request.id.empty()) {
        emit_error(request, kInternalError, "the hub's answer is no JSON-RPC message");
    }
}

void McpBridge::pass_events(Request& request) {
    {
        const std::lock_guard lock(mutex_);
        request.streams = true;
        finished_.notify_all();
    }
    EventReader reader;
    bool answered = request.id.empty();
    for (;;) {
        std::string bytes;
        const auto read = request.answer->read(bytes, from_now(kSilenceOfStream));
        reader.feed(bytes);
        while (const auto event = reader.next()) {
            const JsonView message(event->data);
            answered = answered || (message["id"].raw() == request.id &&
                                    (message["result"].exists() || message["error"].exists()));
            const std::lock_guard lock(mutex_);
            emit(request, event->data);
        }
        if (read == AnswerStream::Read::late) {
            throw HubError(HubError::Kind::broken, "the hub has fallen silent");
        }
        if (read == AnswerStream::Read::end) {
            break;
        }
    }
    if (!answered) {
        throw HubError(HubError::Kind::broken, "the hub has ended the stream without an answer");
    }
}

void McpBridge::emit(const Request& request, std::string_view json) {
    if (!request.cancelled && !failure_) {
        out_(one_line(json));
    }
}

void McpBridge::emit_error(const Request& request, int code, const std::string& text) {
    if (request.cancelled) {
        return;
    }
    note(text);
    if (!request.id.empty()) {
        emit(request, "{\"jsonrpc\":\"2.0\",\"id\":" + request.id + ",\"error\":{\"code\":" +
                          std::to_string(code) + ",\"message\":" + json_text(text) + "}}");
    }
}

}  // namespace agentcom::cli
