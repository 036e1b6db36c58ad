# Installs the project to a temporary prefix, and builds the plugin of this folder against it out of tree.
#
#   cmake -DBUILD=<build folder> -DCONFIG=<build type> -DCXX=<compiler> -DFLAGS=<compiler flags> -P build_plugin.cmake
cmake_minimum_required(VERSION 3.22)
include(${CMAKE_CURRENT_LIST_DIR}/../support/out_of_tree.cmake)

set(work "${BUILD}/plugin_check")
install_to(${work})
build_against(${work} mine ${CMAKE_CURRENT_LIST_DIR})
