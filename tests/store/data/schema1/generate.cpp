// How the store in this directory was made: with the program at commit 36134cf, whose schema was 1,
// linked with its agentcom_store and run as `generate DIRECTORY`, then `mdb_copy -c`. It is no part
// of the build, since today's program writes a later schema; schema_test.cpp says what must be
// read.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>

#include "agentcom/store/store.hpp"

namespace {

using namespace agentcom;
using namespace agentcom::store;

core::AgentId agent(std::string_view text) { return core::AgentId::parse(text).value(); }
core::ChannelName channel(std::string_view text) { return core::ChannelName::parse(text).value(); }

class Writer {
public:
    explicit Writer(const std::filesystem::path& directory) {
        options_.directory = directory;
        options_.map_size = std::size_t{64} << 20;
        options_.history_messages = 5;
        options_.channel_history = 3;
        open();
    }
    void open() {
        store_.reset();
        store_ = Store::open(options_, clock_);
        store_->start(nullptr);
    }
    WriteValue write(WriteOp op) {
        const WriteResult result = store_->submit_and_wait(std::move(op));
        if (!result) throw std::runtime_error("refused: " + result.error().wire_name());
        return *result;
    }
    core::MessagePtr send(std::string_view from, core::Destination to, std::string payload,
                          std::optional<std::string> reply_to = {},
                          std::optional<std::string> key = {}) {
        AppendMessage op{core::Draft{agent(from), std::move(to), "chat",
                                     core::JsonText{std::move(payload)}, std::move(reply_to)},
                         std::move(key)};
        return std::get<Appended>(write(std::move(op))).message;
    }
    void token(std::string_view name, core::Role role) {
        CreateToken op{agent(name), {}, "01234567", role};
        std::copy_n(name.begin(), std::min<std::size_t>(name.size(), 32), op.digest.begin());
        write(op);
    }
    void run();

private:
    core::ManualClock clock_;
    StoreOptions options_;
    std::unique_ptr<Store> store_;
};

void Writer::run() {
    token("alice", core::Role::admin);
    token("bob", core::Role::agent);
    token("carol", core::Role::agent);
    write(CreateChannel{channel("ops"), "about ops", agent("alice")});
    write(CreateChannel{channel("dev"), "", agent("alice")});
    write(CreateChannel{channel("quiet"), "nobody here", agent("bob")});
    write(Subscribe{channel("ops"), agent("bob")});
    write(Subscribe{channel("ops"), agent("carol")});
    write(Subscribe{channel("dev"), agent("bob")});
    write(PutSetting{"mailbox_ttl_ms", 3'600'000});
    // 1-4: of the channel "ops", three of which move to `kept` when their blocks go.
    for (int i = 1; i <= 4; ++i) {
        send("alice", core::ToChannel{channel("ops")}, "{\"kept\":" + std::to_string(i) + "}");
    }
    send("alice", core::ToAgent{agent("bob")}, "\"trimmed\"");  // 5
    clock_.advance(core::Millis(7'200'000));
    // 6-10 keep what is before them out of the history.
    for (int i = 0; i < 5; ++i) send("carol", core::ToEveryone{false}, "\"filler\"");
    while (std::get<Trimmed>(write(Trim{})).more) {
    }
    const auto root = send("alice", core::ToAgent{agent("bob")}, "\"root\"");  // 11
    send("bob", core::ToAgent{agent("alice")}, "\"answer\"", root->id.str());  // 12
    send("alice", core::ToEveryone{true}, "\"spelled\"");                      // 13
    send("alice", core::ToAgent{agent("ghost-1")}, "\"waits\"");               // 14
    send("alice", core::ToAgent{agent("ghost-2")}, "\"waits too\"");           // 15
    send("alice", core::ToChannel{channel("dev")}, "{\"copy\":1}");            // 16
    write(Unsubscribe{channel("dev"), agent("bob")});
    send("alice", core::ToAgent{agent("carol")}, "\"keyed\"", {}, "key-1");  // 17
    clock_.advance(core::Millis(61'000));
    send("alice", core::ToChannel{channel("ops")}, "{\"keyed\":2}", {}, "key-2");  // 18
    send("carol", core::ToAgent{agent("bob")}, "\"keyed 3\"", {}, "key-1");        // 19
    write(AckMailbox{agent("carol"), core::Seq{17}});
    write(MarkRead{agent("bob"), ReadSpan{core::Seq{12}, core::Seq{13}}});
    store_->stop();
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    Writer(argv[1]).run();
    return 0;
}
