# Fails unless the program FILE has a section SHARED that is read, written and shared. Reads the headers itself, since
# no tool for it comes with every compiler (https://learn.microsoft.com/windows/win32/debug/pe-format).
cmake_minimum_required(VERSION 3.22)

file(READ ${FILE} headers LIMIT 4096 HEX)
# The header of a section: 8 bytes for its name, 28 for sizes and places, 4 for its flags, the lowest byte first.
string(HEX SHARED name)
string(REPEAT . 56 sizes_and_places)
set(read_write_shared d)  # 0x40000000, 0x80000000 and 0x10000000: IMAGE_SCN_MEM_READ, _WRITE and _SHARED
if(NOT headers MATCHES "${name}0000${sizes_and_places}......${read_write_shared}")
  message(FATAL_ERROR "${FILE}: there is no shared section SHARED. See windows/shared_table.cpp.")
endif()
