#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/authority.hpp"

namespace agentcom::net {

/// What protects the hub from pages that a browser of one of its users shows: a page of another
/// origin must not use it, and neither must one whose name has been pointed at this machine (DNS
/// rebinding), which then counts as of the same origin. Programs that are no browsers send no
/// origin and are let through. Constant.
class SitePolicy {
public:
    /// `origins` and `hosts` as in EndpointOptions; `listens_on` is what the hub was told to listen
    /// on. Throws std::runtime_error with one sentence when an entry is neither.
    SitePolicy(const std::vector<std::string>& origins, const std::vector<std::string>& hosts,
               std::string_view listens_on, bool on_loopback);

    /// Whether the hub may be addressed so; `authority` is null when the request names no host.
    [[nodiscard]] bool knows_host(const Authority* authority) const;
    /// Whether pages of this origin may use the hub, which was addressed as `authority`, over https
    /// or http.
    [[nodiscard]] bool admits(std::string_view origin, const Authority* authority,
                              bool https) const;

    /// Whether the page is the hub's own: of the origin that it was addressed by.
    [[nodiscard]] static bool is_own(std::string_view origin, const Authority* authority,
                                     bool https);

    /// Whether such pages may also read what they are answered (CORS): their origin is listed.
    [[nodiscard]] bool lists(std::string_view origin) const;
    /// Whether any origin is listed, so that answers depend on it.
    [[nodiscard]] bool lists_any() const noexcept {
        return any_origin_ || null_origin_ || !origins_.empty();
    }

    /// Whether the text may stand in the list of origins: "*", "null" or `scheme://host[:port]`.
    [[nodiscard]] static bool is_origin(std::string_view text);
    /// Whether the text may stand in the list of hosts: "*" or a name or address without a port.
    [[nodiscard]] static bool is_host(std::string_view text);

private:
    struct Origin {
        std::string scheme;
        std::string host;
        std::uint16_t port = 0;
        bool operator==(const Origin&) const = default;
        [[nodiscard]] static std::optional<Origin> parse(std::string_view text);
    };

    std::vector<Origin> origins_;
    std::vector<std::string> hosts_;  // that are known besides those of this machine
    bool any_origin_ = false;
    bool null_origin_ = false;
    bool any_host_ = false;
};

}  // namespace agentcom::net
