# Helpers for declaring Tenon's targets.

# Flags for all of Tenon's own code.
add_library(tenon_flags INTERFACE)
target_compile_options(tenon_flags INTERFACE -Wall -Wextra -Wno-unused-parameter
  $<$<CXX_COMPILER_ID:Clang>:-Wno-unknown-warning-option>)
if(TENON_SANITIZERS)
  target_compile_options(tenon_flags INTERFACE -fsanitize=${TENON_SANITIZERS} -fno-sanitize-recover=undefined -g1)
  target_link_options(tenon_flags INTERFACE -fsanitize=${TENON_SANITIZERS})
  target_sources(tenon_flags INTERFACE
    "$<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:${CMAKE_CURRENT_LIST_DIR}/SanitizerOptions.c>")
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_link_options(tenon_flags INTERFACE -B/usr/lib/llvm-22/bin -fuse-ld=lld)
endif()

file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/tenon_pch.cpp CONTENT "")

# tenon_add_precompiled(NAME HEADER): an object library whose precompiled header others reuse.
function(tenon_add_precompiled name header)
  add_library(${name} OBJECT ${CMAKE_BINARY_DIR}/tenon_pch.cpp)
  target_link_libraries(${name} PRIVATE tenon_flags tenon_mlir)
  target_precompile_headers(${name} PRIVATE ${header})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    # Without the headers' times: compiler caches then find what was compiled with it in another checkout.
    target_compile_options(${name} PRIVATE -fpch-instantiate-templates "SHELL:-Xclang -fno-pch-timestamp")
  endif()
endfunction()

# MLIR's headers, for every library that includes them.
tenon_add_precompiled(tenon_pch ${CMAKE_CURRENT_LIST_DIR}/TenonPrecompiled.h)

# tenon_add_library(NAME sources... [DEPENDS targets...] [LINK targets...]): a static library on MLIR.
function(tenon_add_library name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PUBLIC tenon_flags tenon_mlir ${ARG_LINK})
  # The graph dialect's ops take longer to read than most files do: they are precompiled, too, for what stands on them.
  if("TenonDialect" IN_LIST ARG_LINK OR name STREQUAL "TenonDialect")
    target_precompile_headers(${name} REUSE_FROM tenon_graph_pch)
  else()
    target_precompile_headers(${name} REUSE_FROM tenon_pch)
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    target_compile_options(${name} PRIVATE -fpch-instantiate-templates)
  endif()
  # Generated headers are found through these targets; listing all keeps the graph simple and is cheap.
  get_property(generated GLOBAL PROPERTY TENON_TABLEGEN_TARGETS)
  add_dependencies(${name} ${generated} ${ARG_DEPENDS})
endfunction()

# tenon_tablegen(TARGET SOURCE.td OUTPUT FLAGS [OUTPUT FLAGS]...): one generated file per pair, in the mirrored
# build directory; FLAGS is a quoted list.
function(tenon_tablegen target source)
  set(LLVM_TARGET_DEFINITIONS ${source})
  set(rest ${ARGN})
  while(rest)
    list(POP_FRONT rest output flags)
    separate_arguments(flags UNIX_COMMAND "${flags}")
    mlir_tablegen(${output} ${flags})
  endwhile()
  add_public_tablegen_target(${target})
  set_property(GLOBAL APPEND PROPERTY TENON_TABLEGEN_TARGETS ${target})
endfunction()

# tenon_register_target(KIND NAME LIBRARY): a family of targets or a backend (KIND: Family, Backend), which
# create<NAME>Target<KIND>() in LIBRARY makes.
function(tenon_register_target kind name library)
  set_property(GLOBAL APPEND PROPERTY TENON_TARGET_${kind}_NAMES ${name})
  set_property(GLOBAL APPEND PROPERTY TENON_TARGET_${kind}_LIBRARIES ${library})
endfunction()

# tenon_list_targets(KIND LIBRARIES): writes what is registered, as lines TENON_TARGET(NAME) of tenon/Target/<KIND>.def.
# LIBRARIES is set to where they are.
function(tenon_list_targets kind libraries)
  get_property(names GLOBAL PROPERTY TENON_TARGET_${kind}_NAMES)
  list(TRANSFORM names REPLACE "(.+)" "TENON_TARGET(\\1)\n")
  string(CONCAT text ${names})
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/include/tenon/Target/${kind}.def CONTENT "${text}" @ONLY)
  get_property(found GLOBAL PROPERTY TENON_TARGET_${kind}_LIBRARIES)
  set(${libraries} ${found} PARENT_SCOPE)
endfunction()
