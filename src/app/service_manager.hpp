#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "agentcom/core/time.hpp"
#include "app/config.hpp"

namespace agentcom::app {

/// The service manager that started the process, as far as it wants to be told how the hub is
/// (systemd's Type=notify): one datagram for each word to the socket in NOTIFY_SOCKET, see
/// sd_notify(3), which documents the form for those who do not want the library. A word that cannot
/// be sent within a second is lost. For one thread.
class ServiceManager {
public:
    /// Without NOTIFY_SOCKET in the environment nobody wants to know, and every word is a no-op.
    explicit ServiceManager(const Environment& environment);
    ~ServiceManager();
    ServiceManager(const ServiceManager&) = delete;
    ServiceManager& operator=(const ServiceManager&) = delete;

    /// The hub serves; `status` is a line for people. Also said when a reload is over.
    void ready(std::string_view status);
    void reloading();
    /// The hub begins to stop, which takes no longer than this.
    void stopping(core::Millis most);
    /// The watchdog is to begin anew. The hub must be doing its work.
    void alive();
    /// How often `alive` should be said, a quarter of what the watchdog waits; nothing when there
    /// is none.
    [[nodiscard]] std::optional<core::Millis> pulse() const noexcept { return pulse_; }

private:
    void tell(std::string_view what) const;

    int socket_ = -1;
    std::string address_;  // as sun_path has it
    std::optional<core::Millis> pulse_;
};

}  // namespace agentcom::app
