#include "store/body_digest.hpp"

// Everything from the header: a function or two are not worth a library to ship.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <string>
#include <string_view>
#include <variant>

#include "store/bytes.hpp"

namespace agentcom::store {

std::uint64_t body_digest(const core::Draft& draft) {
    // Lengths stand before texts, so that no two bodies run into the same bytes.
    std::string head;
    const auto add = [&head](char kind, std::string_view text) {
        head.push_back(kind);
        append_varint(head, text.size());
        head.append(text);
    };
    if (const auto* agent = std::get_if<core::ToAgent>(&draft.to)) {
        add('a', agent->agent.str());
    } else if (const auto* channel = std::get_if<core::ToChannel>(&draft.to)) {
        add('c', channel->channel.str());
    } else {
        add('e', "");  // however it was spelled
    }
    add('t', draft.type);
    if (draft.reply_to) add('r', *draft.reply_to);
    const std::string& payload = draft.payload.text;
    return XXH3_64bits_withSeed(payload.data(), payload.size(),
                                XXH3_64bits(head.data(), head.size()));
}

}  // namespace agentcom::store
