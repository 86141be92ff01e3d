// Requests byte by byte as RFC 9110 and 9112 have them, and as they must not be: what each is
// answered, and whether the connection serves another request after it.

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "net/http_answer.hpp"
#include "net/text.hpp"
#include "support/hub_fixture.hpp"

namespace agentcom::test {
namespace {

struct RawRequest {
    std::string name;
    std::string bytes;  // TOKEN stands for a valid one
    int status;
    bool stays;
};

std::string get(const std::string& rest) { return "GET /health HTTP/1.1\r\n" + rest + "\r\n"; }

std::string get_of(const std::string& target) {
    return "GET " + target + " HTTP/1.1\r\nHost: hub\r\n\r\n";
}

std::string post(const std::string& framing_and_body) {
    return "POST /api/message HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer TOKEN\r\n" +
           framing_and_body;
}

std::string chunked(const std::string& body) {
    return post("Transfer-Encoding: chunked\r\n\r\n" + body);
}

constexpr std::string_view kMessage = R"({"payload":{}})";  // 14 bytes
/// A request that must not be found inside another one's body.
const std::string kInner = post("Content-Length: 14\r\n\r\n" + std::string(kMessage));

std::vector<RawRequest> request_lines() {
    return {
        {"plain", get("Host: hub\r\n"), 200, true},
        {"empty line before", "\r\n" + get("Host: hub\r\n"), 200, true},
        {"empty lines before", "\r\n\r\n\r\n" + get("Host: hub\r\n"), 200, true},
        {"bare LF before", "\n" + get("Host: hub\r\n"), 400, false},
        {"no version", "GET /health\r\n\r\n", 400, false},
        {"no version but a header", "GET /health\r\nHost: hub\r\n\r\n", 400, false},
        {"version in lower case", "GET /health http/1.1\r\nHost: hub\r\n\r\n", 400, false},
        {"version without a point", "GET /health HTTP/11\r\nHost: hub\r\n\r\n", 400, false},
        {"version of two digits", "GET /health HTTP/1.10\r\nHost: hub\r\n\r\n", 400, false},
        {"HTTP/0.9", "GET /health HTTP/0.9\r\nHost: hub\r\n\r\n", 400, false},
        {"HTTP/2.0", "GET /health HTTP/2.0\r\nHost: hub\r\n\r\n", 400, false},
        {"preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, false},
        {"HTTP/1.2", "GET /health HTTP/1.2\r\nHost: hub\r\n\r\n", 200, true},
        {"HTTP/1.0", "GET /health HTTP/1.0\r\n\r\n", 200, false},
        {"HTTP/1.0 that stays", "GET /health HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", 200,
         true},
        {"two spaces", "GET  /health HTTP/1.1\r\nHost: hub\r\n\r\n", 400, false},
        {"two spaces before the version", "GET /health  HTTP/1.1\r\nHost: hub\r\n\r\n", 400, false},
        {"space at the end", "GET /health HTTP/1.1 \r\nHost: hub\r\n\r\n", 400, false},
        {"tab for a space", "GET\t/health HTTP/1.1\r\nHost: hub\r\n\r\n", 400, false},
        {"space in the target", "GET /heal th HTTP/1.1\r\nHost: hub\r\n\r\n", 400, false},
        {"control character in the target", get_of("/hea\x01lth"), 400, false},
        {"fragment", get_of("/health#top"), 400, false},
        {"no verb", " /health HTTP/1.1\r\nHost: hub\r\n\r\n", 400, false},
        {"verb that is no token", "G(T /health HTTP/1.1\r\nHost: hub\r\n\r\n", 400, false},
        {"verb in lower case", "get /health HTTP/1.1\r\nHost: hub\r\n\r\n", 405, true},
        {"unknown verb", "BREW /health HTTP/1.1\r\nHost: hub\r\n\r\n", 405, true},
        {"bare LF", "GET /health HTTP/1.1\nHost: hub\n\n", 400, false},
        {"bare CR", "GET /health HTTP/1.1\rHost: hub\r\r", 400, false},
        {"bytes of TLS", std::string("\x16\x03\x01\x00\x05", 5), 400, false},
    };
}

std::vector<RawRequest> targets() {
    return {
        {"absolute form", get_of("http://hub/health"), 200, true},
        {"absolute form with port", get_of("http://hub:4000/health?x=1"), 200, true},
        {"absolute form in capitals", get_of("HTTP://HUB/health"), 200, true},
        {"absolute form without path", get_of("http://hub"), 404, true},
        {"absolute form without host", get_of("http:///health"), 400, false},
        {"absolute form with a user", get_of("http://me@hub/health"), 400, false},
        {"absolute form of another scheme", get_of("ftp://hub/health"), 400, false},
        {"absolute form still needs Host", "GET http://hub/health HTTP/1.1\r\n\r\n", 400, false},
        {"authority form", get_of("hub:4000"), 400, false},
        {"CONNECT", "CONNECT hub:4000 HTTP/1.1\r\nHost: hub:4000\r\n\r\n", 405, false},
        {"CONNECT to a path", "CONNECT /health HTTP/1.1\r\nHost: hub\r\n\r\n", 400, false},
        {"asterisk", get_of("*"), 400, false},
        {"asterisk of OPTIONS", "OPTIONS * HTTP/1.1\r\nHost: hub\r\n\r\n", 200, true},
        {"no slash", get_of("health"), 400, false},
        {"query alone", get_of("?x=1"), 400, false},
        {"doubled slashes", get_of("//health//"), 200, true},
        {"broken escape", get_of("/api/channels/%zz/history"), 401, true},
    };
}

std::vector<RawRequest> header_fields() {
    return {
        {"no Host", get(""), 400, false},
        {"no Host at HTTP/1.0", "GET /health HTTP/1.0\r\n\r\n", 200, false},
        {"two Hosts", get("Host: hub\r\nHost: hub\r\n"), 400, false},
        {"two Hosts at HTTP/1.0", "GET /health HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400, false},
        {"empty Host", get("Host:\r\n"), 400, false},
        {"Host with a user", get("Host: me@hub\r\n"), 400, false},
        {"Host with a path", get("Host: hub/x\r\n"), 400, false},
        {"Host with a space", get("Host: hub hub\r\n"), 400, false},
        {"list of Hosts", get("Host: hub, hub:80\r\n"), 400, false},
        {"Host with letters for a port", get("Host: hub:http\r\n"), 400, false},
        {"Host with too large a port", get("Host: hub:70000\r\n"), 400, false},
        {"Host with an empty port", get("Host: hub:\r\n"), 200, true},
        {"Host of IPv6", get("Host: [::1]:4000\r\n"), 200, true},
        {"Host of broken IPv6", get("Host: [::1\r\n"), 400, false},
        {"Host of IPv6 without brackets", get("Host: ::1\r\n"), 400, false},
        {"name in capitals", get("HOST: hub\r\n"), 200, true},
        {"blanks around the value", get("Host: \t hub \t\r\n"), 200, true},
        {"no blank before the value", get("Host:hub\r\n"), 200, true},
        {"space before the colon", get("Host : hub\r\n"), 400, false},
        {"space before the name", get("Host: hub\r\n X: y\r\n"), 400, false},
        {"space before the first name", get(" Host: hub\r\n"), 400, false},
        {"folded line", get("Host: hub\r\nX: a\r\n\tb\r\n"), 400, false},
        {"no colon", get("Host: hub\r\nX\r\n"), 400, false},
        {"no name", get("Host: hub\r\n: x\r\n"), 400, false},
        {"name that is no token", get("Host: hub\r\nX(y): z\r\n"), 400, false},
        {"NUL in a value", get("Host: hub\r\nX: a" + std::string(1, '\0') + "b\r\n"), 400, false},
        {"bare CR in a value", get("Host: hub\r\nX: a\rb\r\n"), 400, false},
        {"bare LF after a value", get("Host: hub\nX: a\r\n"), 400, false},
        {"bytes beyond ASCII in a value", get("Host: hub\r\nX: \xc3\xa9\r\n"), 200, true},
        {"two Authorizations",
         get("Host: hub\r\nAuthorization: Bearer TOKEN\r\nAuthorization: Bearer x\r\n"), 400,
         false},
        {"the same Authorization twice",
         get("Host: hub\r\nAuthorization: Bearer TOKEN\r\nauthorization: Bearer TOKEN\r\n"), 400,
         false},
        {"Connection: close", get("Host: hub\r\nConnection: close\r\n"), 200, false},
        {"close in a list", get("Host: hub\r\nConnection: foo, Close\r\n"), 200, false},
        {"close in another field", get("Host: hub\r\nConnection: x\r\nConnection: close\r\n"), 200,
         false},
    };
}

std::vector<RawRequest> framings() {
    const std::string body(kMessage);
    return {
        {"length", post("Content-Length: 14\r\n\r\n" + body), 200, true},
        {"same length twice", post("Content-Length: 14\r\nContent-Length: 14\r\n\r\n" + body), 200,
         true},
        {"same length in a list", post("Content-Length: 14, 14\r\n\r\n" + body), 200, true},
        {"two lengths", post("Content-Length: 14\r\nContent-Length: 0\r\n\r\n" + body), 400, false},
        {"two lengths in a list", post("Content-Length: 0, 14\r\n\r\n" + body), 400, false},
        {"negative length", post("Content-Length: -1\r\n\r\n"), 400, false},
        {"length with a sign", post("Content-Length: +14\r\n\r\n" + body), 400, false},
        {"hexadecimal length", post("Content-Length: 0xe\r\n\r\n" + body), 400, false},
        {"length with a space", post("Content-Length: 1 4\r\n\r\n" + body), 400, false},
        {"empty length", post("Content-Length:\r\n\r\n" + body), 400, false},
        {"length beyond 64 bits", post("Content-Length: 99999999999999999999999\r\n\r\n"), 413,
         false},
        {"length that wraps to 14", post("Content-Length: 18446744073709551630\r\n\r\n" + body),
         413, false},
        {"chunked", chunked("e\r\n" + body + "\r\n0\r\n\r\n"), 200, true},
        {"chunked in capitals",
         post("Transfer-Encoding: CHUNKED\r\n\r\nE\r\n" + body + "\r\n0\r\n\r\n"), 200, true},
        {"chunk with an extension", chunked("e;a=\"b\"\r\n" + body + "\r\n0\r\n\r\n"), 200, true},
        {"trailer", chunked("e\r\n" + body + "\r\n0\r\nX: y\r\n\r\n"), 200, true},
        {"gzip", post("Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n" + kInner), 400, false},
        {"identity", post("Transfer-Encoding: identity\r\n\r\n" + kInner), 400, false},
        {"chunked is not the last", post("Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"), 400,
         false},
        {"chunked is not alone", post("Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), 400,
         false},
        {"chunked twice", post("Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"), 400, false},
        {"another field after chunked",
         post("Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\n0\r\n\r\n" + kInner),
         400, false},
        {"nearly chunked", post("Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + kInner), 400,
         false},
        {"chunked in quotes", post("Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n"), 400, false},
        {"vertical tab before chunked",
         post("Transfer-Encoding: \x0b"
              "chunked\r\n\r\n0\r\n\r\n" +
              kInner),
         400, false},
        {"space before the colon", post("Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"), 400,
         false},
        {"empty coding", post("Transfer-Encoding:\r\n\r\n" + kInner), 400, false},
        {"chunked and a length",
         post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + kInner), 400,
         false},
        {"a length and chunked",
         post("Content-Length: 14\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + kInner), 400,
         false},
        {"chunked at HTTP/1.0",
         "POST /api/message HTTP/1.0\r\nHost: hub\r\nAuthorization: Bearer TOKEN\r\n"
         "Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" +
             kInner,
         400, false},
        {"size with a sign", chunked("+e\r\n" + body + "\r\n0\r\n\r\n"), 400, false},
        {"size with a prefix", chunked("0xe\r\n" + body + "\r\n0\r\n\r\n"), 400, false},
        {"no size", chunked("\r\n" + body + "\r\n0\r\n\r\n"), 400, false},
        {"two sizes", chunked("e 5\r\n" + body + "\r\n0\r\n\r\n"), 400, false},
        {"blank after the size", chunked("e \r\n" + body + "\r\n0\r\n\r\n"), 400, false},
        {"blank after the last size", chunked("e\r\n" + body + "\r\n0 \r\n\r\n"), 400, false},
        {"blank before an extension", chunked("e ;a\r\n" + body + "\r\n0\r\n\r\n"), 200, true},
        {"size beyond 64 bits", chunked("1000000000000000e\r\n" + body), 400, false},
        {"size with a bare LF", chunked("e\n" + body + "\r\n0\r\n\r\n"), 400, false},
        {"extension with a bare LF", chunked("e;x\n" + body + "\r\n0\r\n\r\n"), 400, false},
        {"chunk longer than its size", chunked("d\r\n" + body + "\r\n0\r\n\r\n"), 400, false},
        {"trailer without a blank", chunked("e\r\n" + body + "\r\n0\r\nX:y\r\n\r\n"), 200, true},
        {"trailer that is no field", chunked("e\r\n" + body + "\r\n0\r\nfoo bar\r\n\r\n"), 400,
         false},
        {"trailer that is a request", chunked("e\r\n" + body + "\r\n0\r\n" + kInner), 400, false},
        {"trailer without a colon", chunked("e\r\n" + body + "\r\n0\r\nfoo\r\n\r\n"), 400, false},
        {"trailer without a name", chunked("e\r\n" + body + "\r\n0\r\n: y\r\n\r\n"), 400, false},
        {"trailer with a space before the colon",
         chunked("e\r\n" + body + "\r\n0\r\nX : y\r\n\r\n"), 400, false},
        {"trailer that begins with a space", chunked("e\r\n" + body + "\r\n0\r\n fold\r\n\r\n"),
         400, false},
        {"folded trailer", chunked("e\r\n" + body + "\r\n0\r\nX: a\r\n\tb\r\n\r\n"), 400, false},
        {"trailer with a bare LF", chunked("e\r\n" + body + "\r\n0\r\nX: y\n\r\n"), 400, false},
        {"body of GET", get("Host: hub\r\nContent-Length: 5\r\n") + "{oops", 200, true},
        {"body of GET of another type",
         get("Host: hub\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n") + "hello", 200,
         true},
        {"chunked body of GET", get("Host: hub\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\n",
         200, true},
        {"unknown expectation", post("Expect: miracles\r\nContent-Length: 14\r\n\r\n" + body), 417,
         false},
        {"expectation and another",
         post("Expect: 100-continue, miracles\r\nContent-Length: 14\r\n\r\n" + body), 417, false},
        {"expectation at HTTP/1.0", "GET /health HTTP/1.0\r\nExpect: miracles\r\n\r\n", 200, false},
        {"expectation in capitals",
         "GET /health HTTP/1.1\r\nHost: hub\r\nExpect: 100-CONTINUE\r\n\r\n", 200, true},
    };
}

class HttpByTheLetter : public ::testing::Test {
protected:
    void check(const std::vector<RawRequest>& cases) {
        for (const RawRequest& one : cases) {
            SCOPED_TRACE(one.name);
            for (const std::size_t piece : {std::size_t{100'000}, std::size_t{1}}) {
                check(one, piece);
            }
        }
    }
    /// All that comes until the connection ends, after a request that asks for that in any case.
    std::string everything(const RawRequest& one, std::size_t piece) {
        std::string bytes = one.bytes;
        for (auto at = bytes.find("TOKEN"); at != std::string::npos; at = bytes.find("TOKEN")) {
            bytes.replace(at, 5, token_);
        }
        Socket socket(hub_.port());
        std::string all;
        try {
            for (std::string_view left = bytes; !left.empty();) {
                socket.send(left.substr(0, piece));
                left.remove_prefix(std::min(piece, left.size()));
            }
            socket.send("GET /health HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n");
        } catch (const std::runtime_error&) {
            // The hub has ended the connection already.
        }
        for (std::string some = socket.receive_some(); !some.empty();
             some = socket.receive_some()) {
            all += some;
        }
        return all;
    }
    void check(const RawRequest& one, std::size_t piece) {
        const std::string all = everything(one, piece);
        std::vector<int> statuses;
        for (auto at = all.find("HTTP/1."); at != std::string::npos;
             at = all.find("HTTP/1.", at + 1)) {
            statuses.push_back(std::stoi(all.substr(at + 9, 3)));
        }
        std::vector<int> expected{one.status};
        if (one.stays) expected.push_back(200);
        EXPECT_EQ(statuses, expected) << all;
        EXPECT_NE(all.find("\r\nDate: "), std::string::npos) << all;
    }

    Hub hub_;
    std::string token_ = hub_.create_token("alice");
};

TEST_F(HttpByTheLetter, TheTableIsAsLongAsItSays) {
    EXPECT_GE(
        request_lines().size() + targets().size() + header_fields().size() + framings().size(),
        120U);
}
TEST_F(HttpByTheLetter, RequestLines) { check(request_lines()); }
TEST_F(HttpByTheLetter, Targets) { check(targets()); }
TEST_F(HttpByTheLetter, HeaderFields) { check(header_fields()); }
TEST_F(HttpByTheLetter, Framings) {
    check(framings());
    // What hid in bodies was not stored: only what was answered with 200.
    HttpClient admin(hub_.port(), hub_.admin_token());
    std::size_t stored = 0;
    for (const RawRequest& one : framings()) {
        if (one.status == 200 && one.bytes.starts_with("POST")) stored += 2;
    }
    EXPECT_EQ(admin.get("/api/messages?limit=200").json().at("count"), stored);
}

TEST_F(HttpByTheLetter, TheDateIsThatOfTheClockAndEveryAnswerHasOne) {
    EXPECT_EQ(net::http_date(core::Timestamp{784'111'777'999}), "Sun, 06 Nov 1994 08:49:37 GMT");
    HttpClient client(hub_.port());
    EXPECT_EQ(client.get("/health").headers.at("date"), "Tue, 14 Nov 2023 22:13:20 GMT");
    hub_.clock().advance(core::Millis{999});
    EXPECT_EQ(client.get("/nowhere").headers.at("date"), "Tue, 14 Nov 2023 22:13:20 GMT");
    hub_.clock().advance(core::Millis{1});
    EXPECT_EQ(client.get("/health").headers.at("date"), "Tue, 14 Nov 2023 22:13:21 GMT");
    EXPECT_TRUE(client.request("POST", "/api/message", "{}").headers.contains("date"));
    EXPECT_TRUE(client.get("/dashboard").headers.contains("date"));
}

}  // namespace
}  // namespace agentcom::test
