# SPDX-License-Identifier: Apache-2.0
# Compiler flags that every target of the project shares, so that they can share one precompiled header: -fPIC for
# programs too, since a header compiled for a library does not fit a program compiled with -fPIE.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 11)
  message(FATAL_ERROR "GCC ${CMAKE_CXX_COMPILER_VERSION} lacks C++20; expected GCC 11 or newer, or Clang 14 or newer.")
endif()

set(FAULTWAVE_SANITIZE "" CACHE STRING "Sanitizers to build with: empty, \"address,undefined\" or \"thread\"")

add_library(faultwave_flags INTERFACE)
target_compile_options(faultwave_flags INTERFACE -fPIC -Wall -Wextra -Wno-unused-parameter)
# Only what the public headers declare is visible from outside: a pragma before their namespace says so. (An attribute
# of the namespace does not for Clang, which asks it of a function's definition, too.)
target_compile_options(faultwave_flags INTERFACE -fvisibility=hidden -fvisibility-inlines-hidden)
# GCC 12 sees overflows in sums of std::string that cannot happen (its bugs 105329 and 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(faultwave_flags INTERFACE -Wno-stringop-overflow -Wno-restrict -Wno-array-bounds)
endif()
if(FAULTWAVE_WARNINGS_AS_ERRORS)
  target_compile_options(faultwave_flags INTERFACE -Werror)
endif()

# What the tests' environment needs under a sanitizer. libtorch itself is not instrumented; the files of suppressions say
# what of it has to be left out, and why.
set(FAULTWAVE_TEST_ENVIRONMENT "")
if(FAULTWAVE_SANITIZE)
  target_compile_options(faultwave_flags INTERFACE
    -fsanitize=${FAULTWAVE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(faultwave_flags INTERFACE -fsanitize=${FAULTWAVE_SANITIZE})
  list(APPEND FAULTWAVE_TEST_ENVIRONMENT
    "ASAN_OPTIONS=detect_leaks=1"
    "LSAN_OPTIONS=print_suppressions=0:suppressions=${CMAKE_CURRENT_LIST_DIR}/lsan.supp"
    "UBSAN_OPTIONS=print_stacktrace=1"
    "TSAN_OPTIONS=suppressions=${CMAKE_CURRENT_LIST_DIR}/tsan.supp")
endif()
if(FAULTWAVE_SANITIZE STREQUAL "thread")
  # What is checked are threads of ours; those of OpenMP look like races (tsan.supp).
  list(APPEND FAULTWAVE_TEST_ENVIRONMENT "OMP_NUM_THREADS=1")
endif()

# ccache, where it is there. It needs to be told that a precompiled header and the times in it may be trusted.
find_program(FAULTWAVE_CCACHE ccache)
mark_as_advanced(FAULTWAVE_CCACHE)
if(FAULTWAVE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
    "CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}" "${FAULTWAVE_CCACHE}")
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_LAUNCHER MATCHES "ccache")
  target_compile_options(faultwave_flags INTERFACE -fpch-preprocess)
endif()
