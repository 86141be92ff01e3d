#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agentcom/core/time.hpp"

namespace agentcom::cli {

/// When an operation must be over.
using Deadline = core::SteadyTime;
[[nodiscard]] inline Deadline from_now(core::Millis time) {
    return std::chrono::steady_clock::now() + time;
}

/// How a hub is reached.
struct HubAddress {
    std::string url;        // scheme://host[:port][/path]; without a port 80, or 443 for https
    std::string ca_file{};  // PEM: who may vouch for the hub, or its own certificate; empty: the
                            // system's authorities
    /// PEM, for a hub whose certificate is known: this and what `ca_file` holds is accepted
    /// whatever names it has and although it may have expired.
    std::optional<std::string> pinned_certificate{};
    std::string host{};  // what `Host` says; empty: as in the URL
};

/// What went wrong between the program and the hub; `what()` is a sentence without secrets.
class HubError : public std::runtime_error {
public:
    enum class Kind : std::uint8_t {
        address,      // the URL or the file of authorities cannot be used
        unreachable,  // no connection: refused, no such host, no answer to the handshake
        untrusted,    // the hub's certificate
        broken,     // the connection ended early; whether the request was carried out is not known
        late,       // nothing came before the deadline; the same holds
        malformed,  // what came is not HTTP, or too large
        refused,    // the hub answered with an error: `status`, `code`
    };
    HubError(Kind kind, const std::string& text) : std::runtime_error(text), kind_(kind) {}
    HubError(const std::string& text, std::uint16_t status, std::string code)
        : std::runtime_error(text), kind_(Kind::refused), status_(status), code_(std::move(code)) {}

    [[nodiscard]] Kind kind() const noexcept { return kind_; }
    [[nodiscard]] std::uint16_t status() const noexcept { return status_; }   // HTTP's; 0 without
    [[nodiscard]] const std::string& code() const noexcept { return code_; }  // as in protocol.md
    /// Whether the same request may succeed a moment later, as after a restart of the hub.
    [[nodiscard]] bool may_pass() const noexcept;

private:
    Kind kind_;
    std::uint16_t status_ = 0;
    std::string code_;
};

struct HttpRequest {
    std::string verb;
    std::string target;  // "/api/me", with its query; encode_path_segment for what is put into it
    std::string body{};  // JSON
    std::vector<std::pair<std::string, std::string>> headers{};  // besides the usual ones
    /// Whether it does no harm twice: then it is sent again, once, when the connection that was
    /// kept from an earlier request turns out to be gone.
    bool repeatable = true;
};

struct HttpAnswer {
    std::uint16_t status = 0;
    std::string content_type{};
    std::string body{};
};

/// An answer whose body is read as it comes, over a connection of its own. Ends that connection
/// when it goes.
class AnswerStream {
public:
    virtual ~AnswerStream() = default;
    /// Status and type; the body is empty. Waits for it until the deadline, and may be called again
    /// after that. Throws HubError (late, and others).
    [[nodiscard]] virtual const HttpAnswer& head(Deadline deadline) = 0;
    enum class Read : std::uint8_t { some, end, late };
    /// Appends what has come of the body, after `head`; waits for it until the deadline. After
    /// `late` it may be called again. Throws HubError.
    virtual Read read(std::string& into, Deadline deadline) = 0;
    /// From any thread: whoever waits in `head` or `read` is told that the connection is broken.
    virtual void cut() = 0;
};

/// Asks a hub over HTTP/1.1, one request at a time, and keeps the connection for the next one.
/// One thread. A deadline holds for everything but looking up a host's name.
class HubClient {
public:
    /// Opens nothing yet. `token` may be empty. Throws HubError when the address cannot be used.
    HubClient(HubAddress address, std::string token);
    ~HubClient();
    HubClient(HubClient&&) noexcept;
    HubClient& operator=(HubClient&&) noexcept;

    /// The hub's answer, whatever its status; at most 256 MiB. Throws HubError when there is none.
    [[nodiscard]] HttpAnswer send(const HttpRequest& request, Deadline deadline);
    /// The body of the hub's answer; throws HubError also when that is an error.
    [[nodiscard]] std::string ask(const HttpRequest& request, Deadline deadline);
    /// Sends, over a connection of its own, and returns at once.
    [[nodiscard]] std::unique_ptr<AnswerStream> open(const HttpRequest& request, Deadline deadline);
    /// Whether something listens at the address.
    [[nodiscard]] bool reaches(Deadline deadline) noexcept;

    [[nodiscard]] const std::string& url() const noexcept;

    struct Impl;

private:
    std::unique_ptr<Impl> impl_;
};

/// What an answer with an error says, as HubError.
[[nodiscard]] HubError refusal(const HttpAnswer& answer);

/// Percent-encodes everything that may not stand in one segment of a path, or in a value of a
/// query.
[[nodiscard]] std::string encode_path_segment(std::string_view text);

}  // namespace agentcom::cli
