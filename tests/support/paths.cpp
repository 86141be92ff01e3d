#include "support/paths.hpp"

// The only file that is compiled with the paths of one build, so that the objects of all others are
// the same in every tree and a compiler cache finds them.

namespace agentcom::test {

const std::string& built_binary() {
    static const std::string path = AGENTCOM_BINARY;
    return path;
}

const std::filesystem::path& source_dir() {
    static const std::filesystem::path path = AGENTCOM_SOURCE_DIR;
    return path;
}

}  // namespace agentcom::test
