# find_or_fetch(NAME URL SHA256): an installed library is used; if there is none, the release at URL is fetched. Whoever
# has a copy of it and no network passes -D FETCHCONTENT_SOURCE_DIR_<NAME, in capitals>=FOLDER.
include(FetchContent)

function(find_or_fetch name url sha256)
  string(TOUPPER FETCHCONTENT_SOURCE_DIR_${name} folder_variable)
  if(NOT ${folder_variable})
    find_package(${name} QUIET)
  endif()
  if(${name}_FOUND)
    return()
  endif()

  set(archive ${CMAKE_BINARY_DIR}/fetched/${name}.tar.gz)
  if(NOT ${folder_variable} AND NOT EXISTS ${archive})
    message(STATUS "${name} is not installed: fetching ${url}")
    file(DOWNLOAD ${url} ${archive}.part INACTIVITY_TIMEOUT 30 STATUS status)
    if(NOT status MATCHES "^0;")
      message(FATAL_ERROR "The library ${name} is not installed, and ${url} cannot be fetched (${status}). Install it, or "
        "fetch and unpack that archive where there is a network, and pass -D ${folder_variable}=FOLDER.")
    endif()
    file(RENAME ${archive}.part ${archive})
  endif()
  set(options)
  if(CMAKE_VERSION VERSION_GREATER_EQUAL 3.25)  # SYSTEM: no warnings for other people's headers
    set(options SYSTEM DOWNLOAD_EXTRACT_TIMESTAMP OFF)
  endif()
  # The options come first: CMake 3.25.0 and 3.25.1 take a SYSTEM that follows the hash for a part of it.
  FetchContent_Declare(${name} ${options} URL ${archive} URL_HASH SHA256=${sha256})
  FetchContent_MakeAvailable(${name})
endfunction()
