# What both toolchains for cross-building on Debian need.

set(CMAKE_OBJDUMP x86_64-w64-mingw32-objdump)

# One file that runs anywhere: of the DLLs it needs, the system has all.
string(APPEND CMAKE_EXE_LINKER_FLAGS_INIT " -static")

# Nothing of this system's own libraries may leak in. The headers of fmt and CLI11 are an exception, since they
# are the same everywhere: they are staged in the build tree, away from their neighbours in /usr/include.
set(staging ${CMAKE_BINARY_DIR}/debian-headers)
function(stage_headers package headers target)
  if(NOT EXISTS /usr/include/${headers})
    return()  # then it is fetched
  endif()
  file(MAKE_DIRECTORY ${staging}/include ${staging}/lib/cmake/${package})
  file(CREATE_LINK /usr/include/${headers} ${staging}/include/${headers} SYMBOLIC)
  file(WRITE ${staging}/lib/cmake/${package}/${package}-config.cmake
    "add_library(${target} INTERFACE IMPORTED)\n"
    "target_include_directories(${target} SYSTEM INTERFACE ${staging}/include)\n"
    "target_compile_definitions(${target} INTERFACE ${ARGN})\n")
endfunction()
stage_headers(fmt fmt fmt::fmt-header-only FMT_HEADER_ONLY=1)
stage_headers(cli11 CLI CLI11::CLI11)

set(CMAKE_FIND_ROOT_PATH /usr/x86_64-w64-mingw32 ${staging})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
