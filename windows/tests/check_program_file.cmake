# Fails unless objdump shows one shared section in FILE, named SHARED, and imports only from DLLs that every Windows
# has. shell32 and user32 are not among them: see wmain in windows/share_data.cpp.
cmake_minimum_required(VERSION 3.22)
set(system_dlls advapi32.dll kernel32.dll msvcrt.dll ucrtbase.dll)

execute_process(COMMAND ${OBJDUMP} -h ${FILE} OUTPUT_VARIABLE sections COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[0-9]+ [^ ]+ [^\n]*\n[^\n]*, SHARED" shared "${sections}")
list(LENGTH shared count)
if(NOT count EQUAL 1 OR NOT shared MATCHES "^[0-9]+ SHARED ")
  message(FATAL_ERROR "${FILE}: not exactly one shared section SHARED:\n${sections}")
endif()

execute_process(COMMAND ${OBJDUMP} -p ${FILE} OUTPUT_VARIABLE headers COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "DLL Name: [^\n\r]+" dlls "${headers}")
if(NOT dlls)
  message(FATAL_ERROR "${FILE}: no imports found")
endif()
foreach(dll IN LISTS dlls)
  string(REPLACE "DLL Name: " "" dll "${dll}")
  string(TOLOWER "${dll}" dll)
  if(NOT dll IN_LIST system_dlls AND NOT dll MATCHES "^api-ms-win-")
    message(FATAL_ERROR "${FILE} imports ${dll}: not one of ${system_dlls}")
  endif()
endforeach()
