# SPDX-License-Identifier: Apache-2.0
# The folders of src/ as layers: each is an object library with an include root of its own, which holds links to the
# folders and public headers that it may use. What lies in a later folder is not there, so that including it fails.
#
#   build/layers/fault/src/common        -> src/common
#   build/layers/fault/src/fault         -> src/fault
#   build/layers/fault/faultwave/site.h  -> include/faultwave/site.h

# Compiling several sources as one halves the time of a whole build. What a change of one source costs grows from two
# seconds to a few; whoever works on one folder for long switches it off.
option(FAULTWAVE_UNITY_BUILD "Compile sources of a folder together, several at a time" ON)
set(FAULTWAVE_UNITY_BATCH 8)

# Makes the include root of `name`, of these folders of src/ and these public headers.
function(faultwave_include_root name folders headers)
  set(root ${PROJECT_BINARY_DIR}/layers/${name})
  file(REMOVE_RECURSE ${root})
  file(MAKE_DIRECTORY ${root}/src ${root}/faultwave)
  foreach(folder IN LISTS folders)
    file(CREATE_LINK ${PROJECT_SOURCE_DIR}/src/${folder} ${root}/src/${folder} SYMBOLIC)
  endforeach()
  foreach(header IN LISTS headers)
    file(CREATE_LINK ${PROJECT_SOURCE_DIR}/include/faultwave/${header} ${root}/faultwave/${header} SYMBOLIC)
  endforeach()
endfunction()

# faultwave_layer(NAME [HEADERS a.h ...] [ONE_BY_ONE]): the target faultwave_NAME for src/NAME, which may include
# itself and all layers before it. HEADERS are the public headers that belong to it. ONE_BY_ONE: never a unity build.
function(faultwave_layer name)
  cmake_parse_arguments(LAYER "ONE_BY_ONE" "" "HEADERS" ${ARGN})
  set_property(GLOBAL APPEND PROPERTY FAULTWAVE_LAYERS ${name})
  set_property(GLOBAL APPEND PROPERTY FAULTWAVE_LAYER_HEADERS ${LAYER_HEADERS})
  get_property(folders GLOBAL PROPERTY FAULTWAVE_LAYERS)
  get_property(headers GLOBAL PROPERTY FAULTWAVE_LAYER_HEADERS)
  faultwave_include_root(${name} "${folders}" "${headers}")

  add_library(faultwave_${name} OBJECT)
  target_include_directories(faultwave_${name} PRIVATE ${PROJECT_BINARY_DIR}/layers/${name})
  target_link_libraries(faultwave_${name} PRIVATE faultwave_uses)
  if(name STREQUAL "common")
    target_precompile_headers(faultwave_common PRIVATE ${PROJECT_SOURCE_DIR}/src/precompiled.h)
  else()
    target_precompile_headers(faultwave_${name} REUSE_FROM faultwave_common)
  endif()
  if(FAULTWAVE_UNITY_BUILD AND NOT LAYER_ONE_BY_ONE)
    set_target_properties(faultwave_${name} PROPERTIES
      UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE ${FAULTWAVE_UNITY_BATCH})
  endif()
  add_subdirectory(${name})
endfunction()

# Fails unless each public header, but for the one that includes all, belongs to one layer.
function(faultwave_require_owners)
  get_property(owned GLOBAL PROPERTY FAULTWAVE_LAYER_HEADERS)
  file(GLOB headers RELATIVE ${PROJECT_SOURCE_DIR}/include/faultwave ${PROJECT_SOURCE_DIR}/include/faultwave/*.h)
  list(REMOVE_ITEM headers faultwave.h)
  list(SORT owned)
  list(SORT headers)
  if(NOT owned STREQUAL headers)
    message(FATAL_ERROR "Each header of include/faultwave must stand with one layer in src/CMakeLists.txt.\n"
      "There are:  ${headers}\nThe layers have: ${owned}")
  endif()
endfunction()
