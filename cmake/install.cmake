# `cmake --install build/release --prefix /usr/local`, and what packages are made of. Where the
# prefix stands in a file, or something has to be printed by the program, that is done when the files
# are installed, so that any --prefix will do.
include(GNUInstallDirs)
set(installed_files ${CMAKE_BINARY_DIR}/installed)

install(TARGETS agentcom RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES man/agentcom.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES LICENSE README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY examples DESTINATION ${CMAKE_INSTALL_DOCDIR}
  PATTERN __pycache__ EXCLUDE PATTERN node_modules EXCLUDE)
# The pages link to what the libraries' own say.
foreach(client python js)
  install(FILES clients/${client}/README.md DESTINATION ${CMAKE_INSTALL_DOCDIR}/clients/${client})
endforeach()
install(CODE "
  set(page \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DOCDIR}/docs/README.md\")
  file(READ \"\${page}\" text)
  string(REPLACE \"](../config/\" \"](../examples/\" text \"\${text}\")
  file(WRITE \"\${page}\" \"\${text}\")
")

# Alert rules and a dashboard, for whoever watches it.
install(DIRECTORY config/monitoring DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)

install(CODE "
  set(files \"${installed_files}\")
  set(bindir \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}\")
  configure_file(\"${CMAKE_SOURCE_DIR}/config/systemd/agentcom.service.in\"
    \"\${files}/agentcom.service\" @ONLY)
  foreach(shell bash zsh fish)
    execute_process(COMMAND \"$<TARGET_FILE:agentcom>\" completion \${shell}
      OUTPUT_FILE \"\${files}/completion.\${shell}\" COMMAND_ERROR_IS_FATAL ANY)
  endforeach()
  execute_process(COMMAND \"${CMAKE_COMMAND}\"
    \"-DINPUT=${CMAKE_SOURCE_DIR}/config/agentcom.toml\" \"-DOUTPUT=\${files}/agentcom.toml\"
    -P \"${CMAKE_SOURCE_DIR}/cmake/comment_settings.cmake\" COMMAND_ERROR_IS_FATAL ANY)
")
install(FILES ${installed_files}/agentcom.service DESTINATION lib/systemd/system)
install(FILES ${installed_files}/agentcom.toml DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
install(FILES ${installed_files}/completion.bash
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME agentcom)
install(FILES ${installed_files}/completion.zsh
  DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions RENAME _agentcom)
install(FILES ${installed_files}/completion.fish
  DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d RENAME agentcom.fish)
