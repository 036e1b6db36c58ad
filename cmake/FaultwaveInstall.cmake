# SPDX-License-Identifier: Apache-2.0
# Installs the library, its headers, the program, and the package that find_package(faultwave) finds.
include(CMakePackageConfigHelpers)
set(package_folder "${CMAKE_INSTALL_LIBDIR}/cmake/faultwave")

install(TARGETS faultwave faultwave_plugin EXPORT faultwaveTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/faultwave DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT faultwaveTargets NAMESPACE faultwave:: DESTINATION ${package_folder})
if(FAULTWAVE_BUILD_CLI)
  install(TARGETS faultwave-cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

configure_package_config_file(
  ${CMAKE_CURRENT_LIST_DIR}/faultwaveConfig.cmake.in ${PROJECT_BINARY_DIR}/faultwaveConfig.cmake
  INSTALL_DESTINATION ${package_folder} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/faultwaveConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/faultwaveConfig.cmake
  ${PROJECT_BINARY_DIR}/faultwaveConfigVersion.cmake
  ${CMAKE_CURRENT_LIST_DIR}/FaultwaveTorch.cmake
  DESTINATION ${package_folder})
