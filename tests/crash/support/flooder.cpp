#include "crash/support/flooder.hpp"

#include <gtest/gtest.h>

#include <exception>
#include <stdexcept>
#include <utility>

namespace agentcom::test {

Flooder::Flooder(std::uint16_t port, std::string agent, const std::string& token, std::string to)
    : agent_(std::move(agent)), to_(std::move(to)), client_(port) {
    const auto answer = client_.identify(agent_, token, {{"presence", false}, {"echo", false}});
    if (answer.at("type") != "identified") throw std::runtime_error(answer.dump());
    writer_ = std::thread([this] { write(); });
    reader_ = std::thread([this] { read(); });
}

Flooder::~Flooder() { finish(); }

bool Flooder::wait_for_acknowledged(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] {
        return ids_.size() >= count || !trouble_.empty();
    }) && trouble_.empty();
}

std::size_t Flooder::acknowledged() {
    const std::lock_guard lock(mutex_);
    return ids_.size();
}

void Flooder::finish() {
    floods_ = false;
    if (writer_.joinable()) writer_.join();
    {
        const std::lock_guard lock(mutex_);
        all_sent_ = true;
    }
    changed_.notify_all();
    if (reader_.joinable()) reader_.join();
}

void Flooder::verify(const Stored& stored) const {
    SCOPED_TRACE("messages of " + agent_);
    ASSERT_EQ(trouble_, "");
    ASSERT_EQ(ids_.size(), sent_.load());
    const auto messages = stored.of_sender(agent_);
    ASSERT_EQ(messages.size(), ids_.size());
    for (std::size_t n = 0; n < ids_.size(); ++n) {
        ASSERT_EQ(messages[n].at("id"), ids_[n]);
        ASSERT_EQ(messages[n].at("payload").at("n"), n);
    }
}

void Flooder::write() {
    const std::string text(kPayloadBytes, 'x');
    try {
        for (std::size_t n = 0; floods_; ++n) {
            // Before it is sent: the answer may be there first.
            {
                const std::lock_guard lock(mutex_);
                ++sent_;
            }
            changed_.notify_all();
            client_.send(
                {{"type", "message"}, {"to", to_}, {"payload", {{"n", n}, {"text", text}}}});
        }
    } catch (const std::exception& error) {
        note(error.what());
    }
}

void Flooder::read() {
    try {
        for (;;) {
            std::unique_lock lock(mutex_);
            const bool answered = ids_.size() == sent_.load();
            if (answered && all_sent_) return;
            if (answered) {
                changed_.wait(lock, [this] { return all_sent_ || ids_.size() < sent_.load(); });
                continue;
            }
            lock.unlock();
            const auto frame = client_.receive();
            const std::string type = frame.at("type");
            if (type == "error") note(frame.dump());
            if (type != "error" && type != "message_sent") continue;
            lock.lock();
            ids_.push_back(frame.value("id", ""));
            lock.unlock();
            changed_.notify_all();
        }
    } catch (const std::exception& error) {
        note(error.what());
    }
}

void Flooder::note(const std::string& trouble) {
    floods_ = false;
    {
        const std::lock_guard lock(mutex_);
        if (trouble_.empty()) trouble_ = trouble;
    }
    changed_.notify_all();
}

}  // namespace agentcom::test
