#pragma once

#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "agentcom/store/store.hpp"
#include "app/config.hpp"

namespace agentcom::app {

/// The agent that the first administrator's token belongs to.
inline constexpr std::string_view kFirstAdmin = "admin";
/// Variable that may bring its token, so that deployments need not read a file.
inline constexpr std::string_view kAdminTokenVariable = "AGENTCOM_ADMIN_TOKEN";

/// Where the token made at first start is written, mode 0600.
[[nodiscard]] std::filesystem::path admin_token_file(const std::filesystem::path& data_dir);

/// The store is full: the token that was to be made or installed is not valid.
class NoRoomForToken : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// The token in the first line of a file; empty when it cannot be read.
[[nodiscard]] std::string read_token_file(const std::filesystem::path& file);

/// An administrator's token that the operator chose, not looked at yet.
struct GivenToken {
    std::string text;
    std::string origin;  // where it comes from, for people
};
/// What the variable says, or else the file of `auth.admin_token_file`, if there is either. Throws
/// ConfigError when there is a file that cannot be read, and when it is no token.
[[nodiscard]] std::optional<GivenToken> given_admin_token(const Config& config,
                                                          const Environment& environment);

/// Sees to it that somebody can administer the hub. A `given` token becomes one of the agent
/// `admin`. Otherwise, when no administrator has a token, makes one and writes it
/// to the file, whose path is returned. The store must have been started. For a store that this
/// start has made, the token in the file is taken if there is one: it may be of a store that has
/// been lost, and is good again when that is restored. In a store that was there already it may
/// have been revoked. Throws ConfigError for an unusable given token, NoRoomForToken, and what
/// core::write_private_file throws.
std::optional<std::filesystem::path> ensure_admin_token(store::Store& store, const Config& config,
                                                        const std::optional<GivenToken>& given,
                                                        bool store_is_new);

}  // namespace agentcom::app
