#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "agentcom/core/toml.hpp"
#include "agentcom/core/utf8.hpp"
#include "app/config_keys.hpp"
#include "app/config_values.hpp"

/// How a setting of each type is read from text, written into the configuration and shown.
namespace agentcom::app {

/// What a member accessor such as `[](auto& c) -> auto& { return c.threads; }` leads to.
template <class Access>
using MemberOf = std::remove_cvref_t<std::invoke_result_t<Access, Config&>>;

constexpr auto kAnyCount = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
constexpr std::uint64_t kHundredYears = std::uint64_t{100} * 365 * 86'400'000;

inline std::string between(std::string_view what, const std::string& low, const std::string& high) {
    return std::string(what) + " from " + low + " to " + high;
}

/// The number of a raw value: an integer as it is, text through `parse`.
template <class Parse>
std::optional<std::uint64_t> number_of(const RawValue& raw, const Parse& parse) {
    if (const auto* integer = std::get_if<std::int64_t>(&raw)) {
        return *integer >= 0 ? std::optional(static_cast<std::uint64_t>(*integer)) : std::nullopt;
    }
    const auto* text = std::get_if<std::string>(&raw);
    return text != nullptr ? parse(*text) : std::nullopt;
}

template <class Access>
auto copier(Access access) {
    return [access](const Config& from, Config& to) { access(to) = access(from); };
}

/// A setting that is looked at again and again, and taken over by a reload.
inline ConfigKey reloadable(ConfigKey key) {
    key.change = Change::reload;
    return key;
}

template <class Access>
ConfigKey count(std::string_view section, std::string_view name, std::uint64_t low,
                std::uint64_t high, std::string_view doc, Access access) {
    return {section,
            name,
            doc,
            [=](Config& config, const RawValue& raw) -> std::optional<std::string> {
                const auto value = number_of(raw, parse_count);
                if (!value || *value < low || *value > high) {
                    return high == kAnyCount
                               ? "a number of at least " + std::to_string(low)
                               : between("a number", std::to_string(low), std::to_string(high));
                }
                access(config) = static_cast<MemberOf<Access>>(*value);
                return std::nullopt;
            },
            [=](const Config& config) { return std::to_string(access(config)); },
            copier(access)};
}

template <class Access>
ConfigKey bytes(std::string_view section, std::string_view name, std::uint64_t low,
                std::uint64_t high, std::string_view doc, Access access) {
    return {section,
            name,
            doc,
            [=](Config& config, const RawValue& raw) -> std::optional<std::string> {
                const auto value = number_of(raw, parse_bytes);
                if (!value || *value < low || *value > high) {
                    return between("a size such as \"1MiB\"", show_bytes(low), show_bytes(high));
                }
                access(config) = static_cast<MemberOf<Access>>(*value);
                return std::nullopt;
            },
            [=](const Config& config) { return show_bytes(access(config)); },
            copier(access)};
}

template <class Access>
ConfigKey duration(std::string_view section, std::string_view name, std::uint64_t low,
                   std::string_view doc, Access access) {
    return {section,
            name,
            doc,
            [=](Config& config, const RawValue& raw) -> std::optional<std::string> {
                const auto value =
                    number_of(raw, [](std::string_view text) -> std::optional<std::uint64_t> {
                        const auto millis = parse_duration(text);
                        return millis ? std::optional(static_cast<std::uint64_t>(millis->count()))
                                      : std::nullopt;
                    });
                if (!value || *value < low || *value > kHundredYears) {
                    return R"(a duration such as "60s", "15m" or "7d" of at least )" +
                           show_duration(core::Millis(static_cast<std::int64_t>(low)));
                }
                access(config) = core::Millis(static_cast<std::int64_t>(*value));
                return std::nullopt;
            },
            [=](const Config& config) { return show_duration(access(config)); },
            copier(access)};
}

template <class Access>
ConfigKey boolean(std::string_view section, std::string_view name, std::string_view doc,
                  Access access) {
    return {section,
            name,
            doc,
            [=](Config& config, const RawValue& raw) -> std::optional<std::string> {
                const auto* text = std::get_if<std::string>(&raw);
                if (const auto* value = std::get_if<bool>(&raw)) {
                    access(config) = *value;
                } else if (text != nullptr && (*text == "true" || *text == "false")) {
                    access(config) = *text == "true";
                } else {
                    return "true or false";
                }
                return std::nullopt;
            },
            [=](const Config& config) -> std::string { return access(config) ? "true" : "false"; },
            copier(access)};
}

template <class Access>
ConfigKey text(std::string_view section, std::string_view name, bool may_be_empty,
               std::string_view doc, Access access) {
    return {section,
            name,
            doc,
            [=](Config& config, const RawValue& raw) -> std::optional<std::string> {
                const auto* value = std::get_if<std::string>(&raw);
                // What the environment has in another encoding could not be written as TOML.
                if (value == nullptr || (value->empty() && !may_be_empty) ||
                    value->find('\0') != std::string::npos || !core::is_valid_utf8(*value)) {
                    return may_be_empty ? "a text" : "a text that is not empty";
                }
                access(config) = *value;
                return std::nullopt;
            },
            [=](const Config& config) {
                if constexpr (std::is_same_v<MemberOf<Access>, std::filesystem::path>) {
                    return core::quote_toml(access(config).string());
                } else {
                    return core::quote_toml(access(config));
                }
            },
            copier(access)};
}

/// A text that `is_one`; `kind` says in the singular what it is.
template <class Access>
ConfigKey text_like(std::string_view section, std::string_view name, std::string_view kind,
                    bool (*is_one)(std::string_view), std::string_view doc, Access access) {
    return {section,
            name,
            doc,
            [=](Config& config, const RawValue& raw) -> std::optional<std::string> {
                const auto* value = std::get_if<std::string>(&raw);
                if (value == nullptr || !is_one(*value)) return std::string(kind);
                access(config) = *value;
                return std::nullopt;
            },
            [=](const Config& config) { return core::quote_toml(access(config)); },
            copier(access)};
}

/// One of a closed set of words; `words` are in the order of the enumeration.
template <std::size_t N, class Access>
ConfigKey choice(std::string_view section, std::string_view name,
                 std::array<std::string_view, N> words, std::string_view doc, Access access) {
    return {section,
            name,
            doc,
            [=](Config& config, const RawValue& raw) -> std::optional<std::string> {
                const auto* value = std::get_if<std::string>(&raw);
                const auto found =
                    value == nullptr ? words.end() : std::ranges::find(words, *value);
                if (found == words.end()) {
                    std::string expected = "one of";
                    for (const std::string_view word : words) {
                        expected += ' ' + core::quote_toml(word);
                    }
                    return expected;
                }
                access(config) = static_cast<MemberOf<Access>>(found - words.begin());
                return std::nullopt;
            },
            [=](const Config& config) {
                return core::quote_toml(words.at(static_cast<std::size_t>(access(config))));
            },
            copier(access)};
}

/// A list; `kind` says in the plural of what. `parse` makes one of a text, if it is one, and
/// `text_of` the text again. Outside TOML it is one text with commas.
template <class Parse, class Text, class Access>
ConfigKey list(std::string_view section, std::string_view name, std::string_view kind, Parse parse,
               Text text_of, std::string_view doc, Access access) {
    return {section,
            name,
            doc,
            [=](Config& config, const RawValue& raw) -> std::optional<std::string> {
                const auto* one = std::get_if<std::string>(&raw);
                const auto* many = std::get_if<std::vector<std::string>>(&raw);
                const std::string wanted = "a list of " + std::string(kind);
                if (one == nullptr && many == nullptr) return wanted;
                MemberOf<Access> parsed;
                for (const std::string& text : one != nullptr ? split_list(*one) : *many) {
                    auto element = parse(text);
                    if (!element) return wanted + "; " + core::quote_toml(text) + " is not one";
                    parsed.push_back(std::move(*element));
                }
                access(config) = std::move(parsed);
                return std::nullopt;
            },
            [=](const Config& config) {
                std::vector<std::string> quoted;
                for (const auto& element : access(config)) {
                    quoted.push_back(core::quote_toml(text_of(element)));
                }
                return '[' + join_list(quoted) + ']';
            },
            copier(access)};
}

template <class Access>
ConfigKey agents(std::string_view section, std::string_view name, std::string_view doc,
                 Access access) {
    return list(
        section, name, "agent ids",
        [](std::string_view text) { return core::AgentId::parse_issued(text); },
        [](const core::AgentId& agent) -> std::string_view { return agent.str(); }, doc, access);
}

/// A list of texts, each of which `is_one`; `kind` says in the plural what they are.
template <class Access>
ConfigKey texts(std::string_view section, std::string_view name, std::string_view kind,
                bool (*is_one)(std::string_view), std::string_view doc, Access access) {
    return list(
        section, name, kind,
        [is_one](const std::string& text) {
            return is_one(text) ? std::optional(text) : std::nullopt;
        },
        [](const std::string& text) -> std::string_view { return text; }, doc, access);
}

constexpr std::uint64_t kKiB = std::uint64_t{1} << 10;
constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::uint64_t kTiB = std::uint64_t{1} << 40;

}  // namespace agentcom::app
