# For scripts that install the project to a temporary prefix and build another project against it. They are given
# -DBUILD=<build folder> -DCONFIG=<build type> -DCXX=<compiler> -DFLAGS=<compiler flags>.
foreach(name IN ITEMS BUILD CONFIG CXX)
  if(NOT DEFINED ${name})
    message(FATAL_ERROR "Give -D${name}=...")
  endif()
endforeach()

# run(COMMAND...): quiet when it works; what it said when it does not.
function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "This failed: ${command}\n${output}")
  endif()
endfunction()

# Installs to WORK/prefix, WORK being made anew.
function(install_to work)
  file(REMOVE_RECURSE "${work}")
  run(${CMAKE_COMMAND} --install ${BUILD} --config ${CONFIG} --prefix ${work}/prefix)
endfunction()

# Builds the project in the folder `source` in WORK/NAME, against what is installed.
function(build_against work name source)
  run(${CMAKE_COMMAND} -S ${source} -B ${work}/${name} -DCMAKE_PREFIX_PATH=${work}/prefix
    -DCMAKE_BUILD_TYPE=${CONFIG} -DCMAKE_CXX_COMPILER=${CXX} "-DCMAKE_CXX_FLAGS=${FLAGS}")
  run(${CMAKE_COMMAND} --build ${work}/${name} --config ${CONFIG})
endfunction()
