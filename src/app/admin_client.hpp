#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "app/run_file.hpp"

namespace agentcom::app {

/// Asks a running hub for administrative things over HTTP, one connection a request.
class AdminClient {
public:
    AdminClient(RunningHub hub, std::string token)
        : hub_(std::move(hub)), token_(std::move(token)) {}

    struct Answer {
        std::uint16_t status = 0;
        nlohmann::json body;  // discarded when it was no JSON
    };
    /// Throws std::runtime_error with one sentence when there is no answer within ten seconds, or
    /// when it is an error.
    [[nodiscard]] Answer ask(std::string_view verb, std::string_view target,
                             const std::string& body = {}) const;
    /// Whether something listens at the hub's address; waits a second at most.
    [[nodiscard]] bool reaches() const noexcept;

private:
    RunningHub hub_;
    std::string token_;
};

/// Percent-encodes everything that may not stand in one segment of a path, or in a query's value.
[[nodiscard]] std::string encode_path_segment(std::string_view text);

}  // namespace agentcom::app
