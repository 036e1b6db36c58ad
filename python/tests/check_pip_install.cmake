# SPDX-License-Identifier: Apache-2.0
# Installs the package by pip into a fresh environment that sees an installed torch, and uses it there.
#
#   cmake -DBUILD=<build folder> -DCONFIG=<build type> -DCXX=<compiler> -DPYTHON=<interpreter with torch and pip's
#         build requirements> -DSOURCE=<root of the sources> -P check_pip_install.cmake
include(${CMAKE_CURRENT_LIST_DIR}/../../tests/support/out_of_tree.cmake)

set(work "${BUILD}/pip_check")
set(python "${work}/environment/bin/python")
file(REMOVE_RECURSE "${work}")
file(MAKE_DIRECTORY "${work}")

# Packages of the other interpreter are seen, torch among them; what is installed goes into the fresh environment.
run(${PYTHON} -m venv "${work}/environment")
execute_process(COMMAND ${PYTHON} -c "import sysconfig; print(sysconfig.get_path('purelib'), end='')" OUTPUT_VARIABLE seen)
execute_process(COMMAND ${python} -c "import sysconfig; print(sysconfig.get_path('purelib'), end='')" OUTPUT_VARIABLE own)
file(WRITE "${own}/seen.pth" "${seen}\n")

# Beside the build folder, as deep in the tree as that is, so that ccache knows the objects again.
set(ENV{CXX} "${CXX}")
run(${python} -m pip install --quiet --no-build-isolation --no-deps --no-cache-dir
  "-Cbuild-dir=${BUILD}-pip" "-Ccmake.build-type=${CONFIG}" "${SOURCE}")

set(study "import torch, faultwave as fw
net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU())
injector = fw.Injector(net, torch.ones(1, 4))
with injector.armed('output:0[2] constant(7)'):
    assert net(torch.ones(1, 4))[0, 2] == 7
assert fw.__file__.startswith('${work}'), fw.__file__")
set(ENV{PYTHONPATH} "")
run(${python} -c "${study}")
run("${work}/environment/bin/faultwave" --version)
run(${python} -m faultwave run --help)
file(REMOVE_RECURSE "${work}")
