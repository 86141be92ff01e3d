# One program with every fuzz target. Asio and the sessions take longer to compile than all the rest
# together, and no target needs them: of the rooms `net` and `app` only these files.
set(fuzz_net address authority body_reader head_parser request_reader request_tag routes site_policy target text
  ws_handshake ws_reader)
set(fuzz_app config config_file config_keys config_values manifest)
list(TRANSFORM fuzz_net REPLACE "(.+)" "${CMAKE_SOURCE_DIR}/src/net/\\1.cpp")
list(TRANSFORM fuzz_app REPLACE "(.+)" "${CMAKE_SOURCE_DIR}/src/app/\\1.cpp")
file(GLOB fuzz_support CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/fuzz/support/*.cpp)

add_executable(agentcom_fuzz
  ${CMAKE_SOURCE_DIR}/tests/fuzz/libfuzzer.cpp ${fuzz_support} ${fuzz_net} ${fuzz_app})
set_source_files_properties(${CMAKE_SOURCE_DIR}/src/delivery/asio.cpp
  PROPERTIES COMPILE_OPTIONS "-O0;-fno-sanitize=all")
target_include_directories(agentcom_fuzz PRIVATE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/tests)
target_include_directories(agentcom_fuzz SYSTEM PRIVATE ${LMDB_INCLUDE_DIR})
target_link_options(agentcom_fuzz PRIVATE -fsanitize=fuzzer)
target_link_libraries(agentcom_fuzz PRIVATE agentcom_protocol agentcom_store agentcom_asio
  nlohmann_json::nlohmann_json spdlog::spdlog tomlplusplus::tomlplusplus)
