# What the toolchains for cross-building on Debian have in common. `triplet` is set: the system that they build for.

# One file that runs anywhere: of the shared libraries it needs, the system has all.
string(APPEND CMAKE_EXE_LINKER_FLAGS_INIT " -static")

# Nothing of this system's own libraries may leak in. Libraries that are only headers are an exception, since these are
# the same everywhere: they are staged in the build tree, away from their neighbours in /usr/include.
set(staging ${CMAKE_BINARY_DIR}/debian-headers)
function(stage_headers package headers target)
  if(NOT EXISTS /usr/include/${headers})
    return()  # then it is fetched
  endif()
  set(config ${staging}/lib/cmake/${package}/${package}-config)
  file(MAKE_DIRECTORY ${staging}/include ${staging}/lib/cmake/${package})
  file(CREATE_LINK /usr/include/${headers} ${staging}/include/${headers} SYMBOLIC)
  file(WRITE ${config}.cmake
    "add_library(${target} INTERFACE IMPORTED)\n"
    "target_include_directories(${target} SYSTEM INTERFACE ${staging}/include)\n"
    "target_compile_definitions(${target} INTERFACE ${ARGN})\n")
  file(WRITE ${config}-version.cmake "set(PACKAGE_VERSION_COMPATIBLE TRUE)\n")
endfunction()
stage_headers(fmt fmt fmt::fmt-header-only FMT_HEADER_ONLY=1)
stage_headers(cli11 CLI CLI11::CLI11)
stage_headers(nlohmann_json nlohmann nlohmann_json::nlohmann_json)

set(CMAKE_FIND_ROOT_PATH /usr/${triplet} ${staging})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
