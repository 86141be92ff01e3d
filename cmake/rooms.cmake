# One library per room; the link lines are the arrows of docs/architecture.md. Headers escape the
# linker, so tests/architecture reads the includes, too. The doors (include/agentcom/<room>) are a
# header set: the target all_verify_interface_header_sets compiles each of them alone.
function(agentcom_room name)
  cmake_parse_arguments(ROOM "" "" "LINKS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS
    ${CMAKE_SOURCE_DIR}/src/${name}/*.cpp ${CMAKE_SOURCE_DIR}/src/${name}/*/*.cpp)
  file(GLOB doors CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/include/agentcom/${name}/*.hpp)
  list(REMOVE_ITEM sources
    ${CMAKE_SOURCE_DIR}/src/app/main.cpp ${CMAKE_SOURCE_DIR}/src/delivery/asio.cpp)
  add_library(agentcom_${name} STATIC ${sources})
  set_target_properties(agentcom_${name} PROPERTIES
    LINKER_LANGUAGE CXX VERIFY_INTERFACE_HEADER_SETS ON)
  target_sources(agentcom_${name} PUBLIC
    FILE_SET HEADERS BASE_DIRS ${CMAKE_SOURCE_DIR}/include FILES ${doors})
  target_include_directories(agentcom_${name} PRIVATE ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(agentcom_${name} PUBLIC agentcom_options ${ROOM_LINKS})
endfunction()

# Asio's non-template code is a library of its own: the client's room needs it and no server.
add_library(agentcom_asio STATIC ${CMAKE_SOURCE_DIR}/src/delivery/asio.cpp)
target_link_libraries(agentcom_asio
  PUBLIC agentcom_options Boost::headers OpenSSL::SSL OpenSSL::Crypto Threads::Threads)

agentcom_room(core LINKS Boost::headers OpenSSL::Crypto)
agentcom_room(store LINKS agentcom_core)
target_include_directories(agentcom_store SYSTEM PRIVATE ${LMDB_INCLUDE_DIR})
target_link_libraries(agentcom_store PRIVATE ${LMDB_LIBRARY} Threads::Threads spdlog::spdlog)
agentcom_room(protocol LINKS agentcom_core)
target_include_directories(agentcom_protocol SYSTEM PRIVATE ${PROMETHEUS_INCLUDE_DIR})
target_link_libraries(agentcom_protocol PRIVATE ${PROMETHEUS_LIBRARY})
agentcom_room(services LINKS agentcom_store)
agentcom_room(delivery LINKS agentcom_protocol agentcom_store agentcom_asio Threads::Threads)
target_link_libraries(agentcom_delivery PRIVATE spdlog::spdlog)
agentcom_room(router LINKS agentcom_services agentcom_delivery agentcom_protocol)
target_link_libraries(agentcom_router PRIVATE spdlog::spdlog)
agentcom_room(mcp LINKS agentcom_protocol OpenSSL::Crypto)
agentcom_room(hooks LINKS agentcom_core)
agentcom_room(webhooks LINKS agentcom_hooks agentcom_protocol)
agentcom_room(describe LINKS agentcom_protocol)
target_link_libraries(agentcom_describe PRIVATE nlohmann_json::nlohmann_json)
agentcom_room(net
  LINKS agentcom_mcp agentcom_webhooks agentcom_describe agentcom_router agentcom_delivery
    agentcom_protocol)
target_link_libraries(agentcom_net PUBLIC OpenSSL::SSL OpenSSL::Crypto PRIVATE spdlog::spdlog)
# A group of files is one large unit to GCC, which then inlines less than it does in each file alone.
# (With Asio's coroutines it reports imagined overlaps when it inlines more.)
if(CMAKE_UNITY_BUILD AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  foreach(room core store protocol services delivery)
    target_compile_options(agentcom_${room} PRIVATE
      --param=large-unit-insns=100000 --param=inline-unit-growth=100)
  endforeach()
endif()
# Asio takes longer to parse than anything of ours. What does not need it is left out.
set_source_files_properties(
  ${CMAKE_SOURCE_DIR}/src/net/routes.cpp ${CMAKE_SOURCE_DIR}/src/net/target.cpp
  ${CMAKE_SOURCE_DIR}/src/net/reply_queue.cpp ${CMAKE_SOURCE_DIR}/src/net/ws_handshake.cpp
  ${CMAKE_SOURCE_DIR}/src/net/ws_reader.cpp
  PROPERTIES SKIP_PRECOMPILE_HEADERS ON SKIP_UNITY_BUILD_INCLUSION ON)
# GCC 12 inlines one half of what Asio allocates a coroutine's frame with, and then takes the other
# half for a mismatch.
set_source_files_properties(
  ${CMAKE_SOURCE_DIR}/src/net/http_session.cpp
  ${CMAKE_SOURCE_DIR}/src/net/http_session_answers.cpp ${CMAKE_SOURCE_DIR}/src/net/ws_session.cpp
  ${CMAKE_SOURCE_DIR}/src/net/sse_session.cpp ${CMAKE_SOURCE_DIR}/src/net/connection.cpp
  PROPERTIES COMPILE_OPTIONS -Wno-mismatched-new-delete)
target_precompile_headers(agentcom_net PRIVATE
  <boost/asio/awaitable.hpp> <boost/asio/ip/tcp.hpp> <boost/asio/post.hpp>
  <boost/asio/ssl/stream.hpp> <boost/asio/write.hpp> <spdlog/spdlog.h>)
# A client of hubs: of the server it links the protocol alone.
agentcom_room(cli LINKS agentcom_hooks agentcom_protocol agentcom_core agentcom_asio OpenSSL::SSL
  OpenSSL::Crypto)
target_link_libraries(agentcom_cli
  PRIVATE nlohmann_json::nlohmann_json CLI11::CLI11 tomlplusplus::tomlplusplus Threads::Threads)
agentcom_room(app LINKS agentcom_net agentcom_cli)
target_link_libraries(agentcom_app
  PUBLIC nlohmann_json::nlohmann_json
  PRIVATE spdlog::spdlog CLI11::CLI11 tomlplusplus::tomlplusplus)

# The pages of web/ travel inside the binary.
function(agentcom_page file function)
  set(source ${CMAKE_BINARY_DIR}/generated/${function}.cpp)
  add_custom_command(OUTPUT ${source}
    COMMAND ${CMAKE_COMMAND} -DINPUT=${CMAKE_SOURCE_DIR}/web/${file} -DFUNCTION=${function}
      -DOUTPUT=${source} -P ${CMAKE_SOURCE_DIR}/cmake/embed_page.cmake
    DEPENDS ${CMAKE_SOURCE_DIR}/web/${file} ${CMAKE_SOURCE_DIR}/cmake/embed_page.cmake
    VERBATIM)
  target_sources(agentcom_app PRIVATE ${source})
endfunction()
agentcom_page(home.html home_html)
agentcom_page(llms.txt llms_txt)
agentcom_page(SKILL.md skill_md)
include(cmake/dashboard.cmake)

add_executable(agentcom ${CMAKE_SOURCE_DIR}/src/app/main.cpp)
target_include_directories(agentcom PRIVATE ${CMAKE_SOURCE_DIR}/src)
# Most of what a message takes is allocated by one thread and freed by another, for which jemalloc
# needs less than the C library (docs/performance.md).
target_link_libraries(agentcom PRIVATE agentcom_app)
if(NOT AGENTCOM_SANITIZE)
  target_link_libraries(agentcom PRIVATE ${JEMALLOC_LIBRARY})
endif()
