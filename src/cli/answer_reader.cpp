#include "cli/answer_reader.hpp"

#include <algorithm>
#include <charconv>

namespace agentcom::cli {
namespace {

using Kind = HubError::Kind;
using Read = AnswerStream::Read;

constexpr std::size_t kMaxHeadBytes = 64 * std::size_t{1024};

[[noreturn]] void fail_answer(const char* why) { throw HubError(Kind::malformed, why); }

std::optional<std::uint64_t> number_in(std::string_view text, int base) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    return error == std::errc{} && end == text.data() + text.size() ? std::optional(value)
                                                                    : std::nullopt;
}

std::string lower(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return out;
}

std::string_view trimmed(std::string_view text) {
    const std::size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
    text.remove_prefix(begin);
    return text.substr(0, text.find_last_not_of(" \t") + 1);
}

}  // namespace

Read AnswerReader::read_more(Deadline deadline) {
    const Read read = connection_.read_some(rest_, deadline);
    if (read == Read::end && framing_ != Framing::until_end) {
        throw HubError(Kind::broken, "the hub ended the connection in the middle of an answer");
    }
    return read;
}

HttpAnswer AnswerReader::read_head(Deadline deadline) {
    for (;;) {
        std::size_t end = rest_.find("\r\n\r\n");
        while (end == std::string::npos) {
            if (rest_.size() > kMaxHeadBytes) {
                fail_answer("the hub's answer is not HTTP: its head does not end");
            }
            const Read read = connection_.read_some(rest_, deadline);
            if (read == Read::late) {
                throw HubError(Kind::late, "the hub does not answer in time");
            }
            if (read == Read::end) {
                throw HubError(Kind::broken, "the hub ended the connection without an answer");
            }
            end = rest_.find("\r\n\r\n");
        }
        HttpAnswer answer;
        parse_head(std::string_view(rest_).substr(0, end), answer);
        rest_.erase(0, end + 4);
        if (answer.status >= 200) {
            return answer;
        }
    }
}

void AnswerReader::parse_head(std::string_view head, HttpAnswer& answer) {
    const auto status = number_in(head.substr(std::min<std::size_t>(9, head.size()), 3), 10);
    if (!head.starts_with("HTTP/1.") || !status || *status < 100) {
        fail_answer("what answers there does not speak HTTP");
    }
    answer.status = static_cast<std::uint16_t>(*status);
    framing_ = Framing::until_end;
    keeps_alive_ = head.starts_with("HTTP/1.1");
    std::optional<std::uint64_t> length;
    std::size_t at = head.find("\r\n");
    while (at < head.size()) {
        const std::size_t end = std::min(head.find("\r\n", at + 2), head.size());
        const std::string_view line = head.substr(at + 2, end - at - 2);
        at = end;
        const std::size_t colon = std::min(line.find(':'), line.size());
        const std::string name = lower(line.substr(0, colon));
        const std::string_view value = trimmed(line.substr(std::min(colon + 1, line.size())));
        if (name == "content-length") {
            length = number_in(value, 10);
            if (!length) {
                fail_answer("the hub's answer is not HTTP: its length is no number");
            }
        } else if (name == "transfer-encoding") {
            framing_ = lower(value) == "chunked" ? Framing::chunks : Framing::until_end;
        } else if (name == "content-type") {
            answer.content_type = lower(trimmed(value.substr(0, value.find(';'))));
        } else if (name == "connection" && lower(value).find("close") != std::string::npos) {
            keeps_alive_ = false;
        }
    }
    if (*status < 200 || *status == 204 || *status == 304) {
        length = 0;
        framing_ = Framing::until_end;
    }
    if (framing_ == Framing::until_end && length) {
        framing_ = Framing::length;
        left_ = *length;
    }
    keeps_alive_ = keeps_alive_ && framing_ != Framing::until_end;
}

std::optional<std::string> AnswerReader::take_line() {
    const std::size_t end = rest_.find("\r\n");
    if (end == std::string::npos) {
        if (rest_.size() > kMaxHeadBytes) {
            fail_answer("the hub's answer is not HTTP: the size of a chunk does not end");
        }
        return std::nullopt;
    }
    std::string line = rest_.substr(0, end);
    rest_.erase(0, end + 2);
    return line;
}

bool AnswerReader::begin_chunk() {
    for (;;) {
        const auto line = take_line();
        if (!line) {
            return false;
        }
        if (in_trailer_) {
            ended_ = line->empty();
            if (ended_) {
                return true;
            }
            continue;
        }
        if (chunk_open_) {  // the end of the chunk before
            if (!line->empty()) {
                fail_answer("the hub's answer is not HTTP: a chunk is longer than its size");
            }
            chunk_open_ = false;
            continue;
        }
        const auto size =
            number_in(trimmed(std::string_view(*line).substr(0, line->find(';'))), 16);
        if (!size) {
            fail_answer("the hub's answer is not HTTP: the size of a chunk is no number");
        }
        in_trailer_ = *size == 0;
        chunk_open_ = !in_trailer_;
        left_ = *size;
        if (chunk_open_) {
            return true;
        }
    }
}

Read AnswerReader::read_body(std::string& into, Deadline deadline) {
    for (;;) {
        if (framing_ == Framing::chunks && left_ == 0 && !ended_ && !begin_chunk()) {
            if (const Read read = read_more(deadline); read != Read::some) {
                return read;
            }
            continue;
        }
        if (ended_ || (framing_ != Framing::until_end && left_ == 0)) {
            return Read::end;
        }
        if (rest_.empty()) {
            if (const Read read = read_more(deadline); read != Read::some) {
                ended_ = read == Read::end;
                return read;
            }
        }
        const std::uint64_t take = framing_ == Framing::until_end
                                       ? rest_.size()
                                       : std::min<std::uint64_t>(left_, rest_.size());
        into.append(rest_, 0, take);
        rest_.erase(0, take);
        left_ -= framing_ == Framing::until_end ? 0 : take;
        return Read::some;
    }
}

}  // namespace agentcom::cli
