#pragma once

#include "describe/schemas.hpp"

/// What OpenAPI says of paths that are no operations: documents, and other protocols.
namespace agentcom::describe {

/// Adds to the operation what it is asked with, and what it answers besides refusals. What it
/// refers to is put into `schemas`.
void describe_page(const PathInfo& path, Json& operation, Json& schemas);

}  // namespace agentcom::describe
