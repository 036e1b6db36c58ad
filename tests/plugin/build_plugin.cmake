# Installs the project to a temporary prefix, and builds the plugin of this folder against it out of tree.
#
#   cmake -DBUILD=<build folder> -DCONFIG=<build type> -DCXX=<compiler> -DFLAGS=<compiler flags> -P build_plugin.cmake
cmake_minimum_required(VERSION 3.22)
foreach(name IN ITEMS BUILD CONFIG CXX)
  if(NOT DEFINED ${name})
    message(FATAL_ERROR "Give -D${name}=...")
  endif()
endforeach()

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "This failed: ${command}\n${output}")
  endif()
endfunction()

set(work "${BUILD}/plugin_check")
file(REMOVE_RECURSE "${work}")
run(${CMAKE_COMMAND} --install ${BUILD} --config ${CONFIG} --prefix ${work}/prefix)
run(${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR} -B ${work}/mine -DCMAKE_PREFIX_PATH=${work}/prefix
  -DCMAKE_BUILD_TYPE=${CONFIG} -DCMAKE_CXX_COMPILER=${CXX} "-DCMAKE_CXX_FLAGS=${FLAGS}")
run(${CMAKE_COMMAND} --build ${work}/mine --config ${CONFIG})
