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

/// Whether the parameters of a member of `Accept` give it the weight 0, which means "not this" (RFC
/// 9110, 12.4.2).
bool is_refused(std::string_view parameters) {
    while (!parameters.empty()) {
        parameters.remove_prefix(1);  // the semicolon
        const auto end = std::min(parameters.find(';'), parameters.size());
        const std::string_view parameter = trim(parameters.substr(0, end));
        parameters.remove_prefix(end);
        if (!equal_ignoring_case(parameter.substr(0, 2), "q=")) continue;
        const std::string_view weight = parameter.substr(2);
        return weight.starts_with('0') && weight.find_first_not_of("0.") == std::string_view::npos;
    }
    return false;
}

}  // namespace

Documents::Documents(Site site, const EndpointOptions& options) : public_url_(options.public_url) {
    const describe::Facts facts{.public_url = public_url_,
                                .base_path = options.base_path,
                                .anonymous_reads = site.anonymous_reads,
                                .anonymous_metrics = site.anonymous_metrics,
                                .identify_timeout = options.limits.identify_timeout,
                                .max_profile_bytes = site.max_profile_bytes,
                                .max_payload_bytes = site.max_payload_bytes};
    add(Page::dashboard, Content::dashboard, std::move(site.dashboard_html));
    for (const Asset& asset : site.assets) {
        assets_.push_back(Kept{std::string(asset.name), std::string(asset.media),
                               std::string(asset.text), std::string(asset.gzip)});
    }
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
    if (!is_document(page) || page == Page::asset) return nullptr;
    return &documents_[static_cast<std::size_t>(page)];
}

std::optional<Documents::File> Documents::find_asset(std::string_view name, bool gzip) const {
    const auto found = std::ranges::find(assets_, name, &Kept::name);
    if (found == assets_.end()) return std::nullopt;
    // The name stands for the content.
    const std::string tag = '"' + std::string(name) + (gzip ? "-gzip\"" : "\"");
    return File{found->media, gzip ? &found->gzip : &found->text, gzip ? "gzip" : "", tag};
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
             .cookie = route.takes_cookie(),
             .session = route.is_session(),
             .operation =
                 route.page == Page::none ? &protocol::operation_info(route.operation) : nullptr,
             .name = page.name,
             .about = page.about,
             .kind = page.kind,
             .media = page.media,
             .has_tag = is_document(route.page),
             .errors = page.errors});
    }
    return paths;
}

bool matches_tag(std::string_view header, std::string_view tag) {
    return std::ranges::any_of(list_members(header), [&](std::string_view member) {
        if (member.starts_with("W/")) member.remove_prefix(2);
        return member == "*" || member == tag;
    });
}

bool accepts_gzip(std::string_view header) {
    bool any = false;
    for (const std::string_view member : list_members(header)) {
        const auto end = std::min(member.find(';'), member.size());
        const std::string_view coding = trim(member.substr(0, end));
        const bool refused = is_refused(member.substr(end));
        if (equal_ignoring_case(coding, "gzip") || equal_ignoring_case(coding, "x-gzip")) {
            return !refused;
        }
        if (coding == "*") any = !refused;
    }
    return any;
}

bool asks_for_html(std::string_view header) {
    return std::ranges::any_of(list_members(header), [](std::string_view member) {
        const auto type_end = std::min(member.find(';'), member.size());
        return equal_ignoring_case(trim(member.substr(0, type_end)), "text/html") &&
               !is_refused(member.substr(type_end));
    });
}

}  // namespace agentcom::net
