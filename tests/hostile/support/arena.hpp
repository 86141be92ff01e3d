#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "hostile/support/innocent.hpp"
#include "hostile/support/scale.hpp"
#include "support/hub_process.hpp"
#include "support/memory_watch.hpp"
#include "support/temp_dir.hpp"

namespace agentcom::test {

/// A real daemon with two event loops, an innocent agent on each of them and a courier that writes
/// to both, while a test plays an attack. `begin` and `end` stand around what is measured.
class Arena : public ::testing::Test {
protected:
    Arena();

    /// `settings`: "AGENTCOM_...=value" for the hub. Tests call it first.
    void start_hub(std::vector<std::string> settings = {});
    /// The same hub again, after `hub().terminate()` or `hub().kill()`.
    void restart_hub();
    [[nodiscard]] HubProcess& hub() { return *hub_; }
    [[nodiscard]] std::uint16_t port() const { return hub_->port(); }
    [[nodiscard]] std::filesystem::path data() const { return directory_.path(); }

    void begin();
    /// Returns once each innocent has had so many more pongs.
    void observe(std::size_t pings);
    /// Ends the innocents and judges: their pings, their messages, the hub's memory.
    void end(std::size_t memory_bound);
    /// Returns once the hub's anonymous memory is below so many bytes. False when patience runs
    /// out.
    [[nodiscard]] bool wait_for_memory_below(std::size_t bytes);

    void TearDown() override;

private:
    void launch();

    TempDir directory_;
    std::vector<std::string> settings_;
    std::unique_ptr<HubProcess> hub_;
    std::unique_ptr<MemoryWatch> watch_;
    std::array<std::unique_ptr<Innocent>, 2> innocents_;
    std::unique_ptr<Courier> courier_;
    std::size_t memory_before_ = 0;
};

}  // namespace agentcom::test
