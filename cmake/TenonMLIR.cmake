# Finds the packaged LLVM/MLIR 22 and wraps it as one target, `tenon_mlir`: the shared libraries, with the flags
# that the packages' ABI demands. Nothing else in the tree names an MLIR or LLVM library.
if(NOT CMAKE_PREFIX_PATH AND NOT MLIR_DIR)
  set(CMAKE_PREFIX_PATH /usr/lib/llvm-22)
endif()
find_package(MLIR 22.1 REQUIRED CONFIG)
list(APPEND CMAKE_MODULE_PATH ${MLIR_CMAKE_DIR} ${LLVM_CMAKE_DIR})
include(TableGen)
include(AddLLVM)
include(AddMLIR)

add_library(tenon_mlir INTERFACE)
target_include_directories(tenon_mlir SYSTEM INTERFACE ${MLIR_INCLUDE_DIRS} ${LLVM_INCLUDE_DIRS})
target_link_libraries(tenon_mlir INTERFACE MLIR LLVM)
# The packages are built with RTTI and without exceptions.
target_compile_options(tenon_mlir INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions>)
# The layout of mlir::Pass::Statistic depends on NDEBUG: it is part of the ABI in every build type.
target_compile_definitions(tenon_mlir INTERFACE NDEBUG)
