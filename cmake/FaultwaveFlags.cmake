# Compiler flags that every target of the project shares, so that they can share one precompiled header.
add_library(faultwave_flags INTERFACE)
target_compile_options(faultwave_flags INTERFACE -fPIC -Wall -Wextra -Wno-unused-parameter)
if(FAULTWAVE_WARNINGS_AS_ERRORS)
  target_compile_options(faultwave_flags INTERFACE -Werror)
endif()
