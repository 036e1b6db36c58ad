# Installs the project to a temporary prefix, builds tests/consumer against it out of tree, and runs both programs.
#
#   cmake -DBUILD=<build folder> -DCONFIG=<build type> -DCXX=<compiler> -DFLAGS=<compiler flags> -P check_install.cmake
cmake_minimum_required(VERSION 3.22)
include(${CMAKE_CURRENT_LIST_DIR}/../support/out_of_tree.cmake)

set(work "${BUILD}/install_check")
install_to(${work})
run(${work}/prefix/bin/faultwave --help)

build_against(${work} consumer ${CMAKE_CURRENT_LIST_DIR})
run(${work}/consumer/consumer)
file(REMOVE_RECURSE "${work}")
