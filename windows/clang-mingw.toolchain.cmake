# Builds for Windows with clang and lld, on a Debian or Ubuntu that has the packages clang, lld and
# g++-mingw-w64-x86-64-posix.
# clang reads the Microsoft spelling of the shared section, so this build keeps that one honest where no cl is at
# hand. The C++ library is the one of GCC.
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_C_COMPILER clang)
set(CMAKE_C_COMPILER_TARGET x86_64-w64-mingw32)
set(CMAKE_CXX_COMPILER clang++)
set(CMAKE_CXX_COMPILER_TARGET x86_64-w64-mingw32)
set(CMAKE_RC_COMPILER x86_64-w64-mingw32-windres)

execute_process(COMMAND x86_64-w64-mingw32-g++-posix -print-file-name=include/c++
  OUTPUT_VARIABLE libstdcxx OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND x86_64-w64-mingw32-g++-posix -print-libgcc-file-name
  OUTPUT_VARIABLE libgcc OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
cmake_path(GET libgcc PARENT_PATH gcc)
# -fms-extensions: read the pragmas. -femulated-tls: thread-local variables are where GCC's library has them.
string(JOIN " " CMAKE_CXX_FLAGS_INIT -fms-extensions -femulated-tls
  -nostdinc++ -isystem ${libstdcxx} -isystem ${libstdcxx}/x86_64-w64-mingw32)
set(CMAKE_EXE_LINKER_FLAGS_INIT "-fuse-ld=lld -L${gcc} -lpthread -Wno-unused-command-line-argument")
set(CMAKE_SHARED_LINKER_FLAGS_INIT "${CMAKE_EXE_LINKER_FLAGS_INIT}")
set(CMAKE_OBJDUMP x86_64-w64-mingw32-objdump)
set(triplet x86_64-w64-mingw32)
include(${CMAKE_CURRENT_LIST_DIR}/../common/debian-cross.cmake)
