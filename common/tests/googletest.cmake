# GoogleTest: an installed package, or the source that Debian's package `googletest` installs (for cross-building), or
# the release, pinned by its hash.
find_package(GTest QUIET)
if(NOT GTest_FOUND)
  set(INSTALL_GTEST OFF)
  set(BUILD_GMOCK OFF)
  if(EXISTS /usr/src/googletest/CMakeLists.txt)
    FetchContent_Declare(googletest SOURCE_DIR /usr/src/googletest)
  else()
    FetchContent_Declare(googletest
      URL https://github.com/google/googletest/archive/refs/tags/v1.18.0.tar.gz
      URL_HASH SHA256=6e3191c1455468b3fc35a417fb565c1c5071aee1b7e7f85e30cf48a98d37d8b5
      DOWNLOAD_EXTRACT_TIMESTAMP OFF
      SYSTEM)
  endif()
  FetchContent_MakeAvailable(googletest)
endif()
