// What may go wrong, as far as it follows from what an operation is.

#include <algorithm>

#include "agentcom/describe/describe.hpp"

namespace agentcom::describe {

namespace {

using protocol::Effect;
using protocol::FieldSpec;
using protocol::FieldType;
using protocol::Right;
using enum core::ErrorCode;

void add(std::vector<core::ErrorCode>& codes, core::ErrorCode code) {
    if (std::ranges::find(codes, code) == codes.end()) codes.push_back(code);
}

void add_rights(std::vector<core::ErrorCode>& codes, Right right) {
    if (right == Right::sender || right == Right::connection) add(codes, read_only);
    if (right == Right::admin) add(codes, admin_only);
    if (right == Right::watcher || right == Right::overseer) add(codes, forbidden);
}

void add_writing(std::vector<core::ErrorCode>& codes) {
    for (const core::ErrorCode code : {shutting_down, storage_full, storage_failed})
        add(codes, code);
}

/// Whether a value of it may be wrong without another code saying so.
bool may_be_wrong(const FieldSpec& field) { return field.type != FieldType::any || field.profile; }

}  // namespace

std::vector<core::ErrorCode> errors_of(const PathInfo& path) {
    std::vector<core::ErrorCode> codes;
    if (path.right != Right::anyone) add(codes, unauthorized);
    add_rights(codes, path.right);
    add(codes, rate_limited);
    // Of everything that is in the path, the query or the header.
    add(codes, bad_request);
    if (path.operation == nullptr) {
        for (const core::ErrorCode code : path.errors) add(codes, code);
        return codes;
    }
    const protocol::OperationInfo& info = *path.operation;
    for (const core::ErrorCode code : info.errors) add(codes, code);
    add(codes, invalid_encoding);
    for (const FieldSpec& field : info.fields) {
        if (may_be_wrong(field)) add(codes, invalid_field);
    }
    if (info.policy.effect == Effect::write) {
        add_writing(codes);
        for (const core::ErrorCode code : {invalid_json, unsupported_media_type, body_too_large}) {
            add(codes, code);
        }
        for (const FieldSpec& field : info.fields) {
            const bool required = field.required || field.required_in_body;
            if (required && !field.in_path()) add(codes, missing_field);
        }
    }
    return codes;
}

std::vector<core::ErrorCode> errors_of_frame(const protocol::OperationInfo& info) {
    std::vector<core::ErrorCode> codes;
    add(codes, not_identified);
    add_rights(codes, info.policy.right);
    for (const core::ErrorCode code : {invalid_json, unknown_message_type, rate_limited}) {
        add(codes, code);
    }
    for (const core::ErrorCode code : info.errors) add(codes, code);
    if (info.policy.effect == Effect::write) add_writing(codes);
    return codes;
}

}  // namespace agentcom::describe
