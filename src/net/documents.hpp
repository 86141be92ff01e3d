#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agentcom/describe/describe.hpp"
#include "agentcom/net/endpoint.hpp"
#include "net/http_answer.hpp"
#include "net/routes.hpp"

namespace agentcom::net {

/// What the hub says of itself: made once, the same for everybody, without secrets. Constant, so
/// any thread may read it.
class Documents {
public:
    Documents(Site site, const EndpointOptions& options);

    struct Document {
        std::string text;
        Content content = Content::json;
        std::string tag;  // the header ETag; empty: it is not to be kept by anybody
    };
    /// Null when this page is none.
    [[nodiscard]] const Document* find(Page page) const noexcept;
    /// A file of the dashboard in one of its codings; nothing: there is none of this name.
    struct File {
        std::string_view media;
        const std::string* bytes;  // of these documents
        std::string_view coding;   // "gzip", or empty
        std::string tag;           // of this coding
    };
    [[nodiscard]] std::optional<File> find_asset(std::string_view name, bool gzip) const;
    /// Where clients reach the hub, as it was configured, without a slash at the end; may be empty.
    [[nodiscard]] const std::string& public_url() const noexcept { return public_url_; }

private:
    void add(Page page, Content content, std::string text);

    std::string public_url_;
    std::array<Document, kPageCount> documents_;
    struct Kept {
        std::string name;
        std::string media;
        std::string text;
        std::string gzip;
    };
    std::vector<Kept> assets_;
};

/// The route table, as descriptions need it.
[[nodiscard]] std::vector<describe::PathInfo> described_paths();

/// Whether `If-None-Match` names this tag (RFC 9110, 13.1.2).
[[nodiscard]] bool matches_tag(std::string_view header, std::string_view tag);
/// Whether `Accept-Encoding` takes gzip (RFC 9110, 12.5.3).
[[nodiscard]] bool accepts_gzip(std::string_view header);
/// Whether `Accept` names HTML, as browsers do and programs do not.
[[nodiscard]] bool asks_for_html(std::string_view header);

}  // namespace agentcom::net
