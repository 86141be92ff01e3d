// docs/trust.md against the tests' sources: each promise names the tests that hold it, and every
// test that the page names exists.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "support/paths.hpp"

namespace {

namespace fs = std::filesystem;
using agentcom::test::source_dir;

std::string contents(const fs::path& file) {
    std::ifstream stream(file);
    return {std::istreambuf_iterator<char>(stream), {}};
}

std::vector<std::string> matches(const std::string& text, const std::regex& pattern,
                                 const char* format) {
    std::vector<std::string> found;
    for (std::sregex_iterator it(text.begin(), text.end(), pattern), end; it != end; ++it) {
        found.push_back(it->format(format));
    }
    return found;
}

/// "Class.test_name" of a file of Python's unittest.
void add_python_tests(const fs::path& file, std::set<std::string>& all) {
    static const std::regex kClass(R"(class (\w+)\b.*)");
    static const std::regex kTest(R"(    def (test_\w+)\(.*)");
    std::ifstream stream(file);
    std::string name;
    std::smatch found;
    for (std::string line; std::getline(stream, line);) {
        if (std::regex_match(line, found, kClass)) name = found[1];
        if (std::regex_match(line, found, kTest)) all.insert(name + '.' + found[1].str());
    }
}

/// "Suite.Name" of every test there is.
std::set<std::string> all_tests() {
    static const std::regex kTest(R"(\bTEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\))");
    std::set<std::string> all;
    for (const auto& entry : fs::recursive_directory_iterator(source_dir() / "tests")) {
        if (entry.path().extension() == ".py") add_python_tests(entry.path(), all);
        if (entry.path().extension() != ".cpp") continue;
        for (std::string& name : matches(contents(entry.path()), kTest, "$1.$2")) {
            all.insert(std::move(name));
        }
    }
    return all;
}

std::vector<std::string> tests_named(const std::string& text) {
    static const std::regex kName(R"(`([A-Z]\w+\.(?:[A-Z]|test_)\w+)`)");
    return matches(text, kName, "$1");
}

TEST(TrustPage, EveryTestItNamesExists) {
    const std::set<std::string> all = all_tests();
    ASSERT_GT(all.size(), 500U);
    const auto named = tests_named(contents(source_dir() / "docs" / "trust.md"));
    EXPECT_GT(named.size(), 50U);
    for (const std::string& name : named) EXPECT_TRUE(all.contains(name)) << name;
}

TEST(TrustPage, EveryPromiseNamesATest) {
    std::ifstream page(source_dir() / "docs" / "trust.md");
    bool promises = false;
    std::size_t rows = 0;
    for (std::string line; std::getline(page, line);) {
        // Tables of promises say so in their head; they end with an empty line.
        if (line.starts_with("| promise |")) {
            promises = true;
            std::getline(page, line);
        } else if (promises && line.starts_with('|')) {
            ++rows;
            EXPECT_FALSE(tests_named(line).empty()) << line;
        } else {
            promises = false;
        }
    }
    EXPECT_GT(rows, 40U);
}

TEST(TrustPage, TheReadmeLeadsThere) {
    EXPECT_NE(contents(source_dir() / "README.md").find("docs/trust.md"), std::string::npos);
}

}  // namespace
