#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cli/connection.hpp"

namespace agentcom::cli {

/// Reads one answer of HTTP/1.1 from a connection, its body in pieces. Throws HubError; the body's
/// deadlines may pass and be given anew.
class AnswerReader {
public:
    /// `rest` holds bytes that were read before and takes those that were read too far.
    AnswerReader(Connection& connection, std::string& rest)
        : connection_(connection), rest_(rest) {}

    /// Status and type of the answer; interim answers are passed over.
    [[nodiscard]] HttpAnswer read_head(Deadline deadline);
    /// Appends a piece of the body.
    AnswerStream::Read read_body(std::string& into, Deadline deadline);
    /// After the body: whether the connection may be used again.
    [[nodiscard]] bool keeps_alive() const noexcept { return keeps_alive_; }

private:
    enum class Framing : std::uint8_t { length, chunks, until_end };

    void parse_head(std::string_view head, HttpAnswer& answer);
    /// Takes a line without its end from `rest_`; nothing before it is there completely.
    [[nodiscard]] std::optional<std::string> take_line();
    /// Goes on to the next chunk; false when its size has not come completely.
    bool begin_chunk();
    AnswerStream::Read read_more(Deadline deadline);

    Connection& connection_;
    std::string& rest_;
    Framing framing_ = Framing::until_end;
    std::uint64_t left_ = 0;  // of the body, or of the chunk
    bool chunk_open_ = false;
    bool in_trailer_ = false;
    bool ended_ = false;
    bool keeps_alive_ = true;
};

}  // namespace agentcom::cli
