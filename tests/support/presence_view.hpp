#pragma once

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace agentcom::test {

/// Who is online, and in what status, as a client knows it.
class PresenceView {
public:
    explicit PresenceView(std::string self) : self_(std::move(self)) {}
    void read(const std::vector<nlohmann::json>& frames) {
        for (const nlohmann::json& frame : frames) read(frame);
    }
    /// `whole`: an `agents` frame that is the answer to list_agents.
    void read(const nlohmann::json& frame, bool whole = false) {
        const std::string type = frame.at("type");
        if (type == "agent_joined") put(frame.at("agent"));
        if (type == "agent_left") online_.erase(frame.at("agent_id").get<std::string>());
        if (type == "status_changed") {
            EXPECT_TRUE(online_.contains(frame.at("agent").at("agent_id")));
            put(frame.at("agent"));
        }
        if (type != "agents") return;
        EXPECT_TRUE(whole || frame.at("snapshot") == true);
        if (!std::exchange(in_list_, frame.contains("more"))) {
            online_.clear();
            ++lists;
        }
        for (const nlohmann::json& agent : frame.at("agents")) put(agent);
    }
    /// Without itself, which it is not told of.
    [[nodiscard]] std::map<std::string, std::string> online() const {
        auto others = online_;
        others.erase(self_);
        return others;
    }
    int lists = 0;

private:
    void put(const nlohmann::json& agent) {
        online_[agent.at("agent_id")] = agent.at("status").dump();
    }
    std::string self_;
    std::map<std::string, std::string> online_;
    bool in_list_ = false;
};

}  // namespace agentcom::test
