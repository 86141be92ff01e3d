#include "cli/field_option.hpp"

#include <algorithm>
#include <stdexcept>

namespace agentcom::cli {

const protocol::FieldSpec& spec_of(OptionField field) {
    if (const auto* spec = protocol::field_of(field.operation, field.name)) return *spec;
    throw std::logic_error("the operation " +
                           std::string(protocol::operation_info(field.operation).name) +
                           " has no field " + std::string(field.name));
}

OptionBounds bounds_of(const protocol::FieldSpec& spec, OptionBounds own) noexcept {
    return {std::max(spec.least, own.least), std::min(spec.most, own.most)};
}

std::string help_of(const protocol::FieldSpec& spec, OptionBounds bounds, bool with_default,
                    std::string_view more) {
    std::string text(spec.about);
    if (text.ends_with('.')) text.pop_back();
    if (spec.most != INT64_MAX && spec.type == protocol::FieldType::text) {
        text += "; at most " + std::to_string(spec.most) + " bytes";
    }
    if (spec.type == protocol::FieldType::integer && bounds.most != INT64_MAX) {
        text += "; " + std::to_string(bounds.least) + " to " + std::to_string(bounds.most);
    }
    if (with_default && spec.type == protocol::FieldType::integer && spec.otherwise > 0) {
        text += "; " + std::to_string(spec.otherwise) + " when left out";
    }
    if (!more.empty()) text += "; " + std::string(more);
    return text;
}

}  // namespace agentcom::cli
