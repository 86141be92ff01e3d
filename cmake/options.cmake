# Compiler settings of our own code. Third-party headers are SYSTEM and never see these warnings.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
# -g1: function names and line numbers for backtraces, a third of the size of -g.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")

find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(tomlplusplus REQUIRED)
find_path(LMDB_INCLUDE_DIR lmdb.h REQUIRED)
find_library(LMDB_LIBRARY lmdb REQUIRED)
find_path(PROMETHEUS_INCLUDE_DIR prometheus/text_serializer.h REQUIRED)
find_library(PROMETHEUS_LIBRARY prometheus-cpp-core REQUIRED)
# The sanitizers have allocators of their own.
if(NOT AGENTCOM_SANITIZE)
  find_library(JEMALLOC_LIBRARY jemalloc REQUIRED)
endif()

add_library(agentcom_options INTERFACE)
target_include_directories(agentcom_options INTERFACE ${CMAKE_SOURCE_DIR}/include)
target_compile_options(agentcom_options INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror
  # GCC 12 reports moved variants as maybe uninitialised once it has inlined them.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>
  # What GCC does not count as a conversion.
  $<$<CXX_COMPILER_ID:Clang>:-Wno-sign-conversion>)
if(CMAKE_UNITY_BUILD AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # Files that are compiled in one group look to GCC as if they were headers.
  target_compile_options(agentcom_options INTERFACE -Wno-subobject-linkage)
endif()
# Asio's non-template code is compiled once, in src/delivery/asio.cpp (a library of its own). The
# frames of its coroutines need no more than the usual alignment, for which there is a faster way
# than aligned_alloc; a request takes more of them than the two that Asio keeps for a thread.
target_compile_definitions(agentcom_options INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED
  BOOST_ASIO_DISABLE_STD_ALIGNED_ALLOC BOOST_ASIO_DISABLE_BOOST_ALIGN
  BOOST_ASIO_RECYCLING_ALLOCATOR_CACHE_SIZE=8)

if(AGENTCOM_HARDEN)
  target_compile_options(agentcom_options INTERFACE
    -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection
    -D_GLIBCXX_ASSERTIONS)
  target_link_options(agentcom_options INTERFACE -Wl,-z,relro,-z,now)
endif()

if(AGENTCOM_SANITIZE)
  target_compile_options(agentcom_options INTERFACE
    -fsanitize=${AGENTCOM_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(agentcom_options INTERFACE -fsanitize=${AGENTCOM_SANITIZE})
  if(AGENTCOM_SANITIZE MATCHES thread)
    # GCC warns about atomic_thread_fence in Asio's headers under TSan.
    target_compile_options(agentcom_options INTERFACE -Wno-tsan)
  endif()
endif()

# Where there is a compiler cache, another tree or preset of the same sources costs little. Paths are
# made relative, so that trees share what they compile.
find_program(AGENTCOM_CCACHE ccache)
if(AGENTCOM_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}
    CCACHE_NOHASHDIR=1
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
    ${AGENTCOM_CCACHE})
endif()

# The sanitizers' objects are large; lld links them several times faster than the default linker.
find_program(AGENTCOM_LLD ld.lld)
if(AGENTCOM_LLD)
  target_link_options(agentcom_options INTERFACE -fuse-ld=lld)
endif()
