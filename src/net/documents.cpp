#include "net/documents.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "net/head_parser.hpp"
#include "net/text.hpp"

namespace agentcom::net {

namespace {

/// FNV-1a: it tells versions of a document apart, and hides nothing.
std::string tag_of(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char c : text) {
        hash ^= static_cast<unsigned char>(c);
        hash *= 0x100000001b3;
    }
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string tag = "\"";
    for (int shift = 60; shift >= 0; shift -= 4) tag += kDigits[(hash >> shift) & 0xF];
    return tag + '"';
}

}  // namespace

Documents::Documents(Site site, std::string public_url) : public_url_(std::move(public_url)) {
    const describe::Facts facts{.public_url = public_url_,
                                .max_profile_bytes = site.max_profile_bytes};
    add(Page::dashboard, Content::html, std::move(site.dashboard_html));
    // It has always been made anew: what a browser keeps of it would be an older hub's.
    documents_[static_cast<std::size_t>(Page::dashboard)].tag.clear();
    add(Page::home, Content::plain_html, std::move(site.home_html));
    add(Page::llms, Content::text, std::move(site.llms_txt));
    add(Page::skill, Content::markdown, std::move(site.skill_md));
    add(Page::openapi, Content::json, describe::openapi(described_paths(), facts));
    add(Page::asyncapi, Content::json, describe::asyncapi(facts));
}

void Documents::add(Page page, Content content, std::string text) {
    std::string tag = tag_of(text);
    documents_[static_cast<std::size_t>(page)] = {std::move(text), content, std::move(tag)};
}

const Documents::Document* Documents::find(Page page) const noexcept {
    return is_document(page) ? &documents_[static_cast<std::size_t>(page)] : nullptr;
}

std::vector<describe::PathInfo> described_paths() {
    std::vector<describe::PathInfo> paths;
    for (const Route& route : route_table()) {
        const PageInfo& page = page_info(route.page);
        paths.push_back(
            {.verb = route.verb,
             .pattern = route.pattern,
             .right = route.right(),
             .query_token = route.query_token() && route.right() != protocol::Right::anyone,
             .body_token = route.page == Page::none && route.body_token(),
             .operation =
                 route.page == Page::none ? &protocol::operation_info(route.operation) : nullptr,
             .name = page.name,
             .about = page.about,
             .media = page.media});
    }
    return paths;
}

bool matches_tag(std::string_view header, std::string_view tag) {
    return std::ranges::any_of(list_members(header), [&](std::string_view member) {
        if (member.starts_with("W/")) member.remove_prefix(2);
        return member == "*" || member == tag;
    });
}

bool asks_for_html(std::string_view header) {
    return std::ranges::any_of(list_members(header), [](std::string_view member) {
        return equal_ignoring_case(trim(member.substr(0, member.find(';'))), "text/html");
    });
}

}  // namespace agentcom::net
