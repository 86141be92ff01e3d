#include "app/config_file.hpp"

// Debian's library is built with exceptions; without them the parser comes from the header.
#define TOML_EXCEPTIONS 0
#undef TOML_SHARED_LIB
#undef TOML_HEADER_ONLY
#define TOML_HEADER_ONLY 1
// What the library assumes of its input is not always so ("[ =" is enough), and an optimiser that
// believes it removes the branches that would report the error. So nothing is assumed.
#include <toml++/impl/preprocessor.h>
#undef TOML_ASSERT
#undef TOML_ASSERT_ASSUME
#define TOML_ASSERT(condition) static_cast<void>(0)
#define TOML_ASSERT_ASSUME(condition) static_cast<void>(0)
#include <toml++/toml.h>

#include <fstream>
#include <iterator>

#include "app/config_keys.hpp"

namespace agentcom::app {
namespace {

class FileReader {
public:
    FileReader(Config& config, const std::filesystem::path& file)
        : config_(config), file_(file.string()) {}

    void read() {
        // A directory can be opened, too, but not be read.
        std::ifstream stream(file_, std::ios::binary);
        if (!stream || std::filesystem::is_directory(file_)) {
            throw ConfigError("cannot read the configuration file " + file_);
        }
        const std::string text(std::istreambuf_iterator<char>(stream), {});
        const toml::parse_result parsed = toml::parse(text, file_);
        if (!parsed) {
            throw ConfigError(place(parsed.error().source()) +
                              std::string(parsed.error().description()));
        }
        for (const auto& [name, node] : parsed.table()) {
            read_section(name.str(), node);
        }
    }

private:
    [[nodiscard]] std::string place(const toml::source_region& region) const {
        return file_ + ':' + std::to_string(region.begin.line) + ": ";
    }

    void read_section(std::string_view section, const toml::node& node) {
        const toml::table* table = node.as_table();
        if (table == nullptr || !is_config_section(section)) {
            throw ConfigError(place(node.source()) + "unknown " +
                              (table == nullptr ? "key " : "section ") + std::string(section));
        }
        for (const auto& [name, value] : *table) {
            const ConfigKey* key = find_config_key(section, name.str());
            if (key == nullptr) {
                throw ConfigError(place(name.source()) + "unknown key " + std::string(section) +
                                  '.' + std::string(name.str()));
            }
            if (const auto expected = key->read(config_, raw_value(value))) {
                throw ConfigError(place(value.source()) + key->dotted() + " must be " + *expected);
            }
        }
    }

    static RawValue raw_value(const toml::node& node) {
        if (const auto* boolean = node.as_boolean()) {
            return boolean->get();
        }
        if (const auto* integer = node.as_integer()) {
            return integer->get();
        }
        if (const auto* text = node.as_string()) {
            return text->get();
        }
        const toml::array* array = node.as_array();
        if (array == nullptr) {
            return std::monostate{};
        }
        std::vector<std::string> list;
        for (const toml::node& element : *array) {
            const auto* text = element.as_string();
            if (text == nullptr) {
                return std::monostate{};
            }
            list.push_back(text->get());
        }
        return list;
    }

    Config& config_;
    std::string file_;
};

}  // namespace

void apply_config_file(Config& config, const std::filesystem::path& file) {
    FileReader(config, file).read();
}

}  // namespace agentcom::app
