#include <gtest/gtest.h>

#include "support/program.hpp"

namespace agentcom::test {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kOtherAllocator = true;
#else
constexpr bool kOtherAllocator = false;
#endif

// What jemalloc says of itself at the end shows that it is linked, and that it has read what
// src/app/allocator.cpp says.
TEST(Allocator, KeepsWhatWasFreedForHalfASecond) {
    if (kOtherAllocator) GTEST_SKIP() << "a sanitizer has an allocator of its own";
    Program program({"--version"}, {"MALLOC_CONF=stats_print:true"});
    EXPECT_EQ(program.wait(), 0);
    EXPECT_NE(program.errors().find("opt.dirty_decay_ms: 500"), std::string::npos)
        << program.errors();
}

}  // namespace
}  // namespace agentcom::test
