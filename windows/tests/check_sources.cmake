# Fails unless each program in SOURCE can be read without the other: it includes its own headers and those of common/,
# and common/ has nothing that only one of the two needs.
cmake_minimum_required(VERSION 3.22)

# All that matches `pattern` in the files, comments left out.
function(matches pattern result)
  set(found "")
  foreach(file IN LISTS ARGN)
    file(STRINGS ${file} lines REGEX "${pattern}")
    foreach(line IN LISTS lines)
      string(REGEX REPLACE "//.*" "" line "${line}")
      string(REGEX MATCHALL "${pattern}" here "${line}")
      list(APPEND found ${here})
    endforeach()
  endforeach()
  list(REMOVE_DUPLICATES found)
  set(${result} ${found} PARENT_SCOPE)
endfunction()

file(GLOB common_headers ${SOURCE}/common/*.h)
set(declarations ${common_headers})
list(FILTER declarations EXCLUDE REGEX "/common_options.h$")  # that one has the bodies, too
matches("[A-Za-z_]+\\(" functions ${declarations})
list(FILTER functions INCLUDE REGEX "^[a-z]")  # no constructors
# What a wait waits for: word() on Linux, event() on Windows. On Linux it is the log that runs out of patience.
list(REMOVE_ITEM functions "word(" "out_of_patience(")
list(REMOVE_ITEM functions "runtime_error(" "hint_(" "code_(")  # of a constructor
list(REMOVE_ITEM functions "get(" "make_format_args(" "view_of(" "write_note(" "write_explanation(")  # of templates
if(NOT functions)
  message(FATAL_ERROR "no functions found in common/")
endif()

foreach(program IN ITEMS linux windows)
  file(GLOB own ${SOURCE}/${program}/*.cpp ${SOURCE}/${program}/*.h)
  matches("#include \"[^\"]+\"" includes ${own})
  list(TRANSFORM includes REPLACE "#include \"([^\"]+)\"" "\\1")
  foreach(header IN LISTS includes)
    if(header MATCHES "/" OR NOT (EXISTS ${SOURCE}/${program}/${header} OR EXISTS ${SOURCE}/common/${header}))
      message(FATAL_ERROR "${program}/ includes ${header}, which is neither its own nor in common/")
    endif()
  endforeach()
  foreach(path IN LISTS common_headers)
    cmake_path(GET path FILENAME header)
    if(NOT header IN_LIST includes)
      message(FATAL_ERROR "${program}/ does not need common/${header}")
    endif()
  endforeach()
  matches("[A-Za-z_]+\\(" used ${own} ${SOURCE}/common/failure.cpp ${SOURCE}/common/log.cpp)
  foreach(function IN LISTS functions)
    if(NOT function IN_LIST used)
      message(FATAL_ERROR "${program}/ does not need ${function}) of common/")
    endif()
  endforeach()
endforeach()
