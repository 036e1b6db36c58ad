# Finds libtorch and wraps it as the target faultwave_torch.
# Looks at FAULTWAVE_TORCH_DIR (a libtorch folder or the `torch` folder of a wheel), then at CMAKE_PREFIX_PATH.
set(FAULTWAVE_TORCH_DIR "" CACHE PATH "Folder of libtorch: holds include/ and lib/")
if(FAULTWAVE_TORCH_DIR)
  list(PREPEND CMAKE_PREFIX_PATH "${FAULTWAVE_TORCH_DIR}")
endif()
find_package(Torch REQUIRED)

add_library(faultwave_torch INTERFACE)
target_link_libraries(faultwave_torch INTERFACE ${TORCH_LIBRARIES})
