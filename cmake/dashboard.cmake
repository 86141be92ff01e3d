# The dashboard is bundled by Node.js and travels inside the binary. It is built from a copy of its
# sources: the packages that it takes stay out of the source tree, and builds with other presets do
# not meet there.
find_program(AGENTCOM_NODE node REQUIRED)
find_program(AGENTCOM_NPM npm REQUIRED)

set(web ${CMAKE_BINARY_DIR}/web)
file(GLOB_RECURSE dashboard_sources CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}/web
  ${CMAKE_SOURCE_DIR}/web/dashboard/*)
list(TRANSFORM dashboard_sources PREPEND ${CMAKE_SOURCE_DIR}/web/ OUTPUT_VARIABLE dashboard_files)

add_custom_command(OUTPUT ${web}/packages.stamp
  COMMAND ${CMAKE_COMMAND} -E make_directory ${web}
  COMMAND ${CMAKE_COMMAND} -E copy ${CMAKE_SOURCE_DIR}/web/package.json
    ${CMAKE_SOURCE_DIR}/web/package-lock.json ${web}
  COMMAND ${AGENTCOM_NPM} ci --prefix ${web} --ignore-scripts --no-audit --no-fund --loglevel=error
  COMMAND ${CMAKE_COMMAND} -E touch ${web}/packages.stamp
  DEPENDS ${CMAKE_SOURCE_DIR}/web/package.json ${CMAKE_SOURCE_DIR}/web/package-lock.json
  COMMENT "Fetching what the dashboard is made of"
  VERBATIM)

set(source ${CMAKE_BINARY_DIR}/generated/dashboard.cpp)
add_custom_command(OUTPUT ${source}
  COMMAND ${CMAKE_COMMAND} -E rm -rf ${web}/dashboard ${web}/bundle
  COMMAND ${CMAKE_COMMAND} -E copy_directory ${CMAKE_SOURCE_DIR}/web/dashboard ${web}/dashboard
  COMMAND ${CMAKE_COMMAND} -E copy ${CMAKE_SOURCE_DIR}/web/build.mjs ${web}
  COMMAND ${AGENTCOM_NODE} ${web}/build.mjs ${web}/bundle
  COMMAND ${AGENTCOM_NODE} ${CMAKE_SOURCE_DIR}/cmake/embed_dashboard.mjs ${web}/bundle ${source}
  DEPENDS ${web}/packages.stamp ${dashboard_files} ${CMAKE_SOURCE_DIR}/web/build.mjs
    ${CMAKE_SOURCE_DIR}/cmake/embed_dashboard.mjs
  COMMENT "Bundling the dashboard"
  VERBATIM)
target_sources(agentcom_app PRIVATE ${source})
