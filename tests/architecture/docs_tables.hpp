#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agentcom/core/error.hpp"
#include "agentcom/protocol/operations.hpp"
#include "agentcom/protocol/shapes.hpp"
#include "net/routes.hpp"

/// The tables of docs/protocol.md, made of the tables that the hub decodes, answers and describes
/// by.
namespace agentcom::docs {

using Lines = std::vector<std::string>;

inline std::string ticked(std::string_view text) { return '`' + std::string(text) + '`'; }

inline std::string joined(const Lines& parts, std::string_view between = ", ") {
    std::string text;
    for (const std::string& part : parts) {
        if (!text.empty()) text += between;
        text += part;
    }
    return text;
}

inline std::string row(const Lines& cells) {
    std::string line = "|";
    for (const std::string& cell : cells) line += cell.empty() ? " |" : ' ' + cell + " |";
    return line;
}

inline Lines table(const Lines& head) {
    std::string rule = "|";
    for (std::size_t i = 0; i < head.size(); ++i) rule += "---|";
    return {row(head), rule};
}

/// 10000 as 10,000
inline std::string grouped(std::int64_t number) {
    std::string text = std::to_string(number);
    for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3) {
        text.insert(static_cast<std::size_t>(at), 1, ',');
    }
    return text;
}

/// "`a`, `b` or `c`"
inline std::string choice(const Lines& words) {
    Lines all;
    for (const std::string& word : words) all.push_back(ticked(word));
    if (all.size() < 2) return joined(all);
    const std::string last = all.back();
    all.pop_back();
    return joined(all) + " or " + last;
}

/// What a reader should know of a field besides its name.
inline std::string remark(const protocol::FieldSpec& field) {
    using protocol::FieldType;
    const bool bounded = field.most != INT64_MAX;
    const std::string most = "at most " + grouped(field.most);
    switch (field.type) {
        case FieldType::object:
            return "an object";
        case FieldType::any:
            return "any JSON value";
        case FieldType::flag:
            return field.otherwise > 0 ? "true" : "";
        case FieldType::text:
            if (!field.choices.empty()) return choice({field.choices.begin(), field.choices.end()});
            return bounded ? most + " bytes" : "";
        case FieldType::integer:
            if (field.otherwise == 0) return bounded ? most : "";
            if (!bounded) return grouped(field.otherwise);
            return field.otherwise == field.most ? most : grouped(field.otherwise) + ", " + most;
        default:
            return {};
    }
}

inline std::string spelled(const protocol::FieldSpec& field, bool over_http) {
    const bool required = field.required || (over_http && field.required_in_body);
    std::string text = ticked(field.name(over_http)) + (required ? "" : "?");
    if (const std::string more = remark(field); !more.empty()) text += " (" + more + ')';
    return text;
}

inline std::string fields_of(const protocol::OperationInfo& info, bool over_http) {
    Lines all;
    for (const protocol::FieldSpec& field : info.fields) {
        const bool elsewhere =
            over_http ? field.in_path() : field.place == protocol::FieldPlace::path_only;
        if (!elsewhere) all.push_back(spelled(field, over_http));
    }
    return joined(all);
}

inline std::string members_of(const protocol::Structure& shape) {
    Lines all;
    for (const protocol::Member& member : shape.members) {
        std::string text = ticked(member.name) + (member.optional ? "?" : "");
        if (member.kind == protocol::ValueKind::constant) text += " = " + ticked(member.words);
        if (member.kind == protocol::ValueKind::truth && !member.optional) text += " = true";
        if (member.kind == protocol::ValueKind::choice) {
            Lines words;
            for (std::string_view rest = member.words; !rest.empty();) {
                const auto end = std::min(rest.find(' '), rest.size());
                words.emplace_back(rest.substr(0, end));
                rest.remove_prefix(std::min(end + 1, rest.size()));
            }
            text += " = " + choice(words);
        }
        if (member.kind == protocol::ValueKind::list)
            text += " (of `" + std::string(member.of->name) + "`)";
        if (member.kind == protocol::ValueKind::structure)
            text += " (`" + std::string(member.of->name) + "`)";
        all.push_back(std::move(text));
    }
    return joined(all);
}

/// What this shape holds, and what that holds, each once.
inline void add_parts(const protocol::Structure& shape,
                      std::vector<const protocol::Structure*>& parts) {
    for (const protocol::Member& member : shape.members) {
        if (member.of == nullptr || std::ranges::find(parts, member.of) != parts.end()) continue;
        parts.push_back(member.of);
        add_parts(*member.of, parts);
    }
}

inline Lines objects() {
    std::vector<const protocol::Structure*> parts;
    for (const protocol::OperationInfo& info : protocol::operations()) {
        if (info.answer != nullptr) add_parts(*info.answer, parts);
        if (info.reply != nullptr) add_parts(*info.reply->body, parts);
    }
    for (const protocol::FrameShape& frame : protocol::pushed_frames()) {
        add_parts(*frame.body, parts);
    }
    for (const protocol::EventShape& event : protocol::observer_events()) {
        add_parts(*event.data, parts);
    }
    std::ranges::sort(parts, {}, &protocol::Structure::name);
    Lines lines = table({"object", "members", "what"});
    for (const protocol::Structure* part : parts) {
        lines.push_back(row({ticked(part->name), members_of(*part), std::string(part->about)}));
    }
    return lines;
}

/// What Markdown would take for a tag.
inline std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '<') out += '\\';
        out += c;
    }
    return out;
}

inline Lines client_frames() {
    Lines lines = table({"frame", "fields", "reply", "errors of its own"});
    for (const protocol::OperationInfo& info : protocol::operations()) {
        if (info.frame.empty()) continue;
        std::string reply = "none";
        if (info.reply != nullptr) {
            const std::string members = members_of(*info.reply->body);
            reply = ticked(info.reply->type) + (members.empty() ? "" : ": " + members);
        }
        Lines errors;
        for (const core::ErrorCode code : info.errors) {
            errors.push_back(ticked(core::error_info(code).name));
        }
        lines.push_back(row({ticked(info.frame), fields_of(info, false), reply, joined(errors)}));
    }
    return lines;
}

inline Lines pushed_frames() {
    Lines lines = table({"frame", "fields", "when"});
    for (const protocol::FrameShape& frame : protocol::pushed_frames()) {
        std::string members = members_of(*frame.body);
        if (frame.type == "error") members += ", `ref`?";
        lines.push_back(row({ticked(frame.type), members, std::string(frame.when)}));
    }
    return lines;
}

inline Lines stream_events() {
    Lines lines = table({"event", "data", "when"});
    lines.push_back(row({"`message`", "the frame", "a message"}));
    for (const protocol::EventShape& event : protocol::stream_events()) {
        lines.push_back(
            row({ticked(event.event), members_of(*event.data), std::string(event.when)}));
    }
    return lines;
}

inline Lines observer_events() {
    Lines lines = table({"event", "data", "when"});
    for (const protocol::EventShape& event : protocol::observer_events()) {
        lines.push_back(
            row({ticked(event.event), members_of(*event.data), std::string(event.when)}));
    }
    return lines;
}

inline std::string token_of(protocol::Right right) {
    switch (right) {
        case protocol::Right::anyone:
            return "none";
        case protocol::Right::reader:
            return "read";
        case protocol::Right::admin:
            return "admin";
        case protocol::Right::watcher:
            return "watch";
        case protocol::Right::overseer:
            return "oversee";
        case protocol::Right::sender:
            return "send";
        default:
            return "agent";
    }
}

inline Lines routes() {
    Lines lines = table({"route", "token", "`?token=`", "body or query", "answer"});
    for (const net::Route& route : net::route_table()) {
        const std::string name = std::string(route.verb) + ' ' + std::string(route.pattern);
        const bool open = route.right() == protocol::Right::anyone;
        Lines cells{ticked(name), token_of(route.right()),
                    !open && route.query_token() ? "yes" : ""};
        if (route.page != net::Page::none) {
            cells.insert(cells.end(), {"", std::string(net::page_info(route.page).about)});
        } else {
            const protocol::OperationInfo& info = protocol::operation_info(route.operation);
            std::string answer = info.success == 200 ? "" : std::to_string(info.success) + ' ';
            if (info.answer != nullptr) {
                answer += members_of(*info.answer);
            } else {
                answer += info.media.empty() ? "without content" : ticked(info.media);
            }
            cells.insert(cells.end(), {fields_of(info, true), answer});
        }
        lines.push_back(row(cells));
    }
    return lines;
}

inline Lines errors() {
    Lines lines = table({"code", "HTTP", "retry", "meaning"});
    for (const core::ErrorInfo& error : core::error_catalogue()) {
        lines.push_back(row({ticked(error.name), std::to_string(error.http_status),
                             error.retry ? "yes" : "no", escaped(error.description)}));
    }
    return lines;
}

inline Lines close_codes() {
    Lines lines = table({"code", "reason", "when", "what to do"});
    for (const protocol::CloseInfo& close : protocol::close_catalogue()) {
        lines.push_back(row({std::to_string(close.code), ticked(close.reason),
                             std::string(close.when), std::string(close.remedy)}));
    }
    return lines;
}

}  // namespace agentcom::docs
