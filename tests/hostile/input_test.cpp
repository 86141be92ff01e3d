// Bytes from connections without a token, which never become a request.

#include <string>
#include <vector>

#include "hostile/support/arena.hpp"
#include "hostile/support/attacker.hpp"

namespace agentcom::test {
namespace {

constexpr std::size_t kMebibyte = std::size_t{1} << 20;
/// How long an attacker that the hub does not read waits before it gives up writing.
constexpr std::chrono::milliseconds kStalled{500};

class HostileInput : public Arena {
protected:
    /// After the header of a chunked body and `beginning`, `piece` for as long as the hub takes it.
    void send_without_end(std::string_view beginning, const std::string& piece) {
        const std::size_t most = sized(300, 100, 20) * kMebibyte;
        start_hub();
        begin();
        std::vector<Attacker> attackers;
        for (std::size_t i = 0; i < sized(8, 4, 2); ++i) {
            attackers.emplace_back(port());
            attackers.back().send(
                "POST /api/message HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                "application/json\r\n"
                "Transfer-Encoding: chunked\r\n\r\n");
            attackers.back().send(beginning);
        }
        std::string large;
        while (large.size() < kMebibyte) large += piece;
        for (std::size_t sent = 0; sent < most; sent += large.size()) {
            bool taken = false;
            for (Attacker& one : attackers) {
                taken = one.send(large, kStalled) == large.size() || taken;
            }
            if (!taken) break;
        }
        observe(kWhile);
        end(mebibytes(64));
    }
};

TEST_F(HostileInput, AChunkExtensionWithoutEnd) {
    send_without_end("5;extension=", std::string(1'024, 'x'));
}

TEST_F(HostileInput, AChunkSizeWithoutEnd) { send_without_end("", std::string(1'024, '0')); }

TEST_F(HostileInput, ATrailerWithoutEnd) {
    send_without_end("0\r\nTrailer: ", std::string(1'024, 'x'));
}

TEST_F(HostileInput, TrailersWithoutEnd) {
    send_without_end("0\r\n", "Trailer: of little use\r\n");
}

TEST_F(HostileInput, AHeaderWithoutEnd) {
    start_hub();
    begin();
    std::vector<Attacker> attackers;
    const std::string header = "GET /health HTTP/1.1\r\nX: " + std::string(2 * kMebibyte, 'x');
    for (std::size_t i = 0; i < sized(500, 100, 20); ++i) {
        attackers.emplace_back(port());
        attackers.back().send(header, kStalled);
    }
    observe(kWhile);
    end(mebibytes(64));
}

TEST_F(HostileInput, UnfinishedFrames) {
    start_hub();
    begin();
    const std::string frame = unfinished_frame(kMebibyte, kMebibyte - 1'000);
    std::vector<Attacker> attackers;
    for (std::size_t i = 0; i < sized(600, 200, 50); ++i) {
        Attacker& one = attackers.emplace_back(port());
        ASSERT_TRUE(one.upgrade());
        one.send(frame, kStalled);
    }
    observe(kWhile);
    // Others still find a place.
    EXPECT_EQ(HttpClient(port()).get("/health").status, 200);
    end(mebibytes(96));
}

TEST_F(HostileInput, UnfinishedBodies) {
    start_hub();
    begin();
    const std::string request =
        "POST /api/message HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Content-Length: 1000000\r\n\r\n" +
        std::string(900'000, ' ');
    std::vector<Attacker> attackers;
    for (std::size_t i = 0; i < sized(2'000, 300, 50); ++i) {
        attackers.emplace_back(port());
        attackers.back().send(request, kStalled);
    }
    observe(kWhile);
    EXPECT_EQ(HttpClient(port()).get("/health").status, 200);
    end(mebibytes(sized(192, 96, 96)));
}

TEST_F(HostileInput, ConnectionsThatNeverSayWhoTheyAre) {
    static constexpr std::size_t kMost = 200;
    start_hub({"AGENTCOM_LIMITS_MAX_UNIDENTIFIED_PER_ADDRESS=" + std::to_string(kMost)});
    begin();
    std::vector<Attacker> attackers;
    std::size_t upgraded = 0;
    for (std::size_t i = 0; i < sized(4'000, 1'000, 300); ++i) {
        if (attackers.emplace_back(port()).upgrade()) ++upgraded;
    }
    EXPECT_LE(upgraded, kMost);
    EXPECT_GE(upgraded, kMost / 2);
    observe(kWhile);
    // Their places come back.
    attackers.clear();
    bool admitted = false;
    for (int i = 0; i < 1'000 && !admitted; ++i) {
        admitted = Attacker(port()).upgrade();
        observe(1);
    }
    EXPECT_TRUE(admitted);
    end(mebibytes(64));
}

}  // namespace
}  // namespace agentcom::test
