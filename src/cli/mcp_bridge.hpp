#pragma once

#include <condition_variable>
#include <functional>
#include <istream>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "agentcom/cli/hub_client.hpp"

namespace agentcom::cli {

/// Carries JSON-RPC messages between a program's standard streams and the hub's `POST /mcp`: one
/// message a line on this side, one request each on the other, whose answer may be one document or
/// a stream of events. Every request has a thread and a connection of its own, so that one that
/// waits holds up no other; `notifications/cancelled` ends the request it names.
class McpBridge {
public:
    /// Lines go to `out`, one call for each, never two at once; what it throws ends the bridge.
    McpBridge(HubAddress address, std::string token, std::function<void(std::string_view)> out);
    ~McpBridge();
    McpBridge(const McpBridge&) = delete;
    McpBridge& operator=(const McpBridge&) = delete;

    /// Until `in` ends; then what is under way has 30 seconds, and streams end at once.
    void run(std::istream& in);

private:
    struct Request {
        std::string text;
        std::string id;  // JSON; empty for a notification
        std::string method;
        std::shared_ptr<AnswerStream> answer;  // once it was sent
        bool streams = false;
        bool cancelled = false;
        bool done = false;
        std::thread thread;
    };

    void take(std::string line);
    bool cancel(const std::string& id);
    void carry(Request& request);
    /// Passes on what the hub answers.
    void exchange(Request& request);
    void pass_document(Request& request, HttpAnswer answer);
    void pass_events(Request& request);
    [[nodiscard]] HttpRequest http_request(const Request& request);
    void emit(const Request& request, std::string_view json);
    void emit_error(const Request& request, int code, const std::string& text);
    void reap();

    const HubAddress address_;
    const std::string token_;
    const std::function<void(std::string_view)> out_;
    std::mutex mutex_;  // guards what follows, and `out_`
    std::condition_variable finished_;
    std::list<Request> requests_;
    std::string version_;  // what `initialize` agreed on; empty before, and with newer clients
    std::exception_ptr failure_;
};

}  // namespace agentcom::cli
