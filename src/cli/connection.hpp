#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "agentcom/cli/hub_client.hpp"
#include "cli/url.hpp"

namespace agentcom::cli {

/// Who may vouch for a hub, read once for all connections of a client. Empty without TLS.
class TlsTrust;
[[nodiscard]] std::shared_ptr<TlsTrust> load_trust(const HubAddress& address, const Url& url);

/// A connection to a hub, with TLS or without. One thread but for `cut`. Throws HubError; after
/// that, and after a write that was late, it is of no more use.
class Connection {
public:
    virtual ~Connection() = default;
    /// Connects, and with `trust` shakes hands and checks the certificate.
    [[nodiscard]] static std::unique_ptr<Connection> open(const HubAddress& address, const Url& url,
                                                          const std::shared_ptr<TlsTrust>& trust,
                                                          Deadline deadline);
    virtual void write(std::string_view bytes, Deadline deadline) = 0;
    /// Appends what has come. After `late` the same read goes on with the next call.
    virtual AnswerStream::Read read_some(std::string& into, Deadline deadline) = 0;
    /// Whether the hub has closed it, or sent what nobody asked for.
    [[nodiscard]] virtual bool is_stale() = 0;
    /// From any thread: whoever reads is told that it is broken.
    virtual void cut() = 0;
};

}  // namespace agentcom::cli
