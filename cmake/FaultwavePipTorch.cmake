# SPDX-License-Identifier: Apache-2.0
# Sets FAULTWAVE_TORCH_DIR, unless it is set, to the torch of the environment that pip or uv installs the package into.
#
# A build environment of its own has no torch, and must not bring one: an extension belongs to one minor version. But
# pip's build environment is the interpreter of the target environment with another PYTHONPATH, so that a Python that
# ignores PYTHONPATH sees the target environment itself. That of uv, or of `python -m build`, is a real environment: there
# it takes --no-build-isolation, or uv's match-runtime.
if(NOT FAULTWAVE_TORCH_DIR AND DEFINED ENV{FAULTWAVE_TORCH_DIR})
  set(FAULTWAVE_TORCH_DIR "$ENV{FAULTWAVE_TORCH_DIR}")
endif()
find_package(Python 3.10 REQUIRED COMPONENTS Interpreter)

set(where "import importlib.util as u; s = u.find_spec('torch'); print(s.submodule_search_locations[0] if s else '', end='')")
foreach(options IN ITEMS "" "-E")
  if(NOT FAULTWAVE_TORCH_DIR)
    execute_process(COMMAND ${Python_EXECUTABLE} ${options} -c "${where}" OUTPUT_VARIABLE FAULTWAVE_TORCH_DIR)
  endif()
endforeach()
if(NOT FAULTWAVE_TORCH_DIR)
  message(FATAL_ERROR
    "No torch was found to build Faultwave against.\n"
    "Install torch into this environment first, then build in the same environment:\n"
    "  pip install torch scikit-build-core && pip install --no-build-isolation .\n"
    "or name the folder of an installed torch in the environment variable FAULTWAVE_TORCH_DIR.")
endif()
