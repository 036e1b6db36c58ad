# SPDX-License-Identifier: Apache-2.0
# The other libraries, all of them in Debian and Ubuntu (tools/setup installs them). All but SQLite are headers that
# only our own sources include, so that who uses the installed library needs SQLite alone.
find_package(SQLite3 REQUIRED)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json 3.10 REQUIRED)
find_package(Boost 1.71 REQUIRED)
find_package(Threads REQUIRED)
find_path(FAULTWAVE_STB_INCLUDE stb/stb_image.h REQUIRED)
# Header-only use: Debian's CMake target would switch toml++ to its shared library.
find_path(FAULTWAVE_TOML_INCLUDE toml++/toml.h REQUIRED)
mark_as_advanced(FAULTWAVE_STB_INCLUDE FAULTWAVE_TOML_INCLUDE)
