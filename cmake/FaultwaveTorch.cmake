# SPDX-License-Identifier: Apache-2.0
# Finds libtorch and wraps it as the imported target faultwave_torch. The build includes this file, and so does the
# installed package.
#
# Looked at, in this order: FAULTWAVE_TORCH_DIR, Torch_DIR, CMAKE_PREFIX_PATH, the virtual environment that `make` keeps in
# .venv, and, for an installed package, the libtorch that it was built against. A folder may be an unpacked
# libtorch, the `torch` folder of a wheel, or its share/cmake.
#
# The libraries are linked directly. TorchConfig.cmake of a CUDA build insists on a CUDA toolkit, of which a `pip install
# torch` brings no headers and no compiler; nothing here is compiled with nvcc, and the wheel's libraries find
# their CUDA libraries by themselves, so that no toolkit, half a one and a whole one are all the same.
# Where the libraries do not lie in one folder with their headers (distributions, static builds), TorchConfig.cmake is asked.
include_guard(GLOBAL)

set(FAULTWAVE_TORCH_DIR "" CACHE PATH "Folder of libtorch, or the torch folder of a wheel: holds include/ and lib/")

# Sets `result` to the folder below or above one of the candidates that holds libtorch's include/ and lib/, or to "".
function(_faultwave_torch_root result)
  foreach(candidate IN LISTS ARGN)
    foreach(step IN ITEMS "" "/torch" "/../.." "/../../..")
      get_filename_component(root "${candidate}${step}" ABSOLUTE)
      if(EXISTS "${root}/include/torch/csrc/api/include/torch/torch.h"
         AND EXISTS "${root}/lib/${CMAKE_SHARED_LIBRARY_PREFIX}torch${CMAKE_SHARED_LIBRARY_SUFFIX}")
        set(${result} "${root}" PARENT_SCOPE)
        return()
      endif()
    endforeach()
  endforeach()
  set(${result} "" PARENT_SCOPE)
endfunction()

# The places where libtorch may be, best first; only the first if the user named one.
function(_faultwave_torch_candidates result)
  if(FAULTWAVE_TORCH_DIR)
    set(${result} "${FAULTWAVE_TORCH_DIR}" PARENT_SCOPE)
    return()
  endif()
  string(REPLACE ":" ";" from_environment "$ENV{CMAKE_PREFIX_PATH}")
  file(GLOB from_venv "${CMAKE_CURRENT_LIST_DIR}/../.venv/lib/python3*/site-packages/torch")
  set(candidates ${Torch_DIR} ${CMAKE_PREFIX_PATH} ${from_environment} ${from_venv} ${FAULTWAVE_TORCH_BUILT_AGAINST})
  list(FILTER candidates EXCLUDE REGEX "-NOTFOUND$")
  set(${result} "${candidates}" PARENT_SCOPE)
endfunction()

# What TorchConfig.cmake would tell a compiler: the ABI of old builds, and macros that change classes of libtorch.
function(_faultwave_torch_definitions result root)
  set(definitions "")
  set(config "${root}/share/cmake/Torch/TorchConfig.cmake")
  set(targets "${root}/share/cmake/Caffe2/Caffe2Targets.cmake")
  if(EXISTS "${config}")
    file(STRINGS "${config}" abi REGEX "_GLIBCXX_USE_CXX11_ABI=[01]" LIMIT_COUNT 1)
    if(abi MATCHES "(_GLIBCXX_USE_CXX11_ABI=[01])")
      list(APPEND definitions "${CMAKE_MATCH_1}")
    endif()
  endif()
  if(EXISTS "${targets}")
    file(READ "${targets}" text)
    if(text MATCHES "set_target_properties\\(torch_cpu PROPERTIES[ \t\r\n]+INTERFACE_COMPILE_DEFINITIONS \"([A-Z0-9_;]*)\"")
      list(APPEND definitions ${CMAKE_MATCH_1})
    endif()
  endif()
  set(${result} "${definitions}" PARENT_SCOPE)
endfunction()

# Sets `result` to those of the named libraries that lie in `root`/lib.
function(_faultwave_torch_libraries result root)
  set(files "")
  foreach(name IN LISTS ARGN)
    set(file "${root}/lib/${CMAKE_SHARED_LIBRARY_PREFIX}${name}${CMAKE_SHARED_LIBRARY_SUFFIX}")
    if(EXISTS "${file}")
      list(APPEND files "${file}")
    endif()
  endforeach()
  set(${result} "${files}" PARENT_SCOPE)
endfunction()

function(_faultwave_link_torch root)
  _faultwave_torch_libraries(referenced "${root}" torch_cpu c10)
  if(SKBUILD)
    # A wheel meets CPU builds and CUDA builds of its version of torch; libtorch loads what belongs to it.
    _faultwave_torch_libraries(kept "${root}" torch)
  else()
    _faultwave_torch_libraries(kept "${root}" torch torch_cuda c10_cuda torch_hip c10_hip torch_xpu c10_xpu)
  endif()
  if(NOT APPLE)
    # Nothing refers to accelerators by a symbol: they register themselves when loaded, so a linker that drops
    # unreferenced libraries must be told to keep them. One item, since CMake may reorder several.
    list(JOIN kept "\",\"" quoted)
    set(kept "-Wl,--push-state,--no-as-needed,\"${quoted}\",--pop-state")
    # Where the CUDA wheels that a torch wheel depends on lie; the linker wants to see what libtorch_cuda needs.
    file(GLOB wheel_folders "${root}/../nvidia/*/lib")
    foreach(folder IN LISTS wheel_folders)
      get_filename_component(folder "${folder}" ABSOLUTE)
      target_link_options(faultwave_torch INTERFACE "LINKER:-rpath-link,${folder}")
    endforeach()
  endif()
  _faultwave_torch_definitions(definitions "${root}")
  # The OpenMP run-time of the wheel itself: with another one there would be two pools of threads.
  file(GLOB openmp "${root}/lib/libgomp*.so*" "${root}/../torch.libs/libgomp*.so*")
  if(NOT openmp AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    set(openmp gomp)
  endif()
  target_link_libraries(faultwave_torch INTERFACE ${kept} ${referenced} ${openmp})
  target_compile_definitions(faultwave_torch INTERFACE ${definitions})
  target_include_directories(faultwave_torch INTERFACE "${root}/include" "${root}/include/torch/csrc/api/include")
endfunction()

add_library(faultwave_torch INTERFACE IMPORTED GLOBAL)
_faultwave_torch_candidates(_faultwave_candidates)
_faultwave_torch_root(FAULTWAVE_TORCH_ROOT ${_faultwave_candidates})
if(FAULTWAVE_TORCH_ROOT)
  message(STATUS "libtorch: ${FAULTWAVE_TORCH_ROOT}")
  _faultwave_link_torch("${FAULTWAVE_TORCH_ROOT}")
elseif(FAULTWAVE_TORCH_DIR)
  message(FATAL_ERROR "There is no libtorch in FAULTWAVE_TORCH_DIR, which is ${FAULTWAVE_TORCH_DIR}: expected a folder "
    "with include/torch and lib/libtorch, such as the torch folder in a Python environment's site-packages.")
else()
  find_package(Torch QUIET)
  if(NOT Torch_FOUND)
    message(FATAL_ERROR "libtorch was not found; `make build` fetches it, or name its folder with -DFAULTWAVE_TORCH_DIR=...")
  endif()
  target_link_libraries(faultwave_torch INTERFACE ${TORCH_LIBRARIES})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_link_libraries(faultwave_torch INTERFACE gomp)
  endif()
endif()
