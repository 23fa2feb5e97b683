# Fails unless the section SECTION of the program FILE, and no other section, is shared. Reads the headers itself, since
# no tool for it comes with every compiler (https://learn.microsoft.com/windows/win32/debug/pe-format).
set(section_is_shared 0x10000000)  # IMAGE_SCN_MEM_SHARED

file(READ ${FILE} bytes LIMIT 4096 HEX)

# The little-endian number of `size` bytes at `offset`.
function(read_number offset size result)
  math(EXPR at "2 * (${offset})")
  math(EXPR length "2 * ${size}")
  string(SUBSTRING "${bytes}" ${at} ${length} digits)
  set(number "")
  string(REGEX MATCHALL ".." digits "${digits}")
  foreach(byte IN LISTS digits)
    string(PREPEND number ${byte})
  endforeach()
  math(EXPR number "0x${number}")
  set(${result} ${number} PARENT_SCOPE)
endfunction()

read_number(0x3c 4 pe)
read_number(${pe}+6 2 section_count)
read_number(${pe}+20 2 optional_header_size)
string(HEX "${SECTION}" wanted)
string(LENGTH "${wanted}" wanted_length)

set(found FALSE)
math(EXPR last "${section_count} - 1")
foreach(index RANGE ${last})
  math(EXPR header "${pe} + 24 + ${optional_header_size} + 40 * ${index}")
  read_number(${header}+36 4 flags)
  math(EXPR shared "${flags} & ${section_is_shared}")
  math(EXPR at "2 * ${header}")
  string(SUBSTRING "${bytes}" ${at} 16 name)
  string(REGEX REPLACE "(00)+$" "" name "${name}")
  if(shared AND NOT name STREQUAL wanted)
    message(FATAL_ERROR "${FILE}: another section than ${SECTION} is shared (name in hexadecimal: ${name}).")
  elseif(shared)
    set(found TRUE)
  endif()
endforeach()
if(NOT found)
  message(FATAL_ERROR "${FILE}: there is no shared section ${SECTION}. See windows/shared_section.cpp.")
endif()
