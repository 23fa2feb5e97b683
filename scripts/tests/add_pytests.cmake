# add_pytests(FILES ARGUMENT...): one test for each that pytest finds in these files, started with the arguments.
find_program(PYTEST NAMES pytest-3 pytest)  # Debian's is for Debian's Python, whichever else there is
function(add_pytests files)
  set(folder ${PROJECT_SOURCE_DIR}/scripts/tests)
  set(found 1)
  if(PYTEST)
    execute_process(COMMAND ${CMAKE_COMMAND} -E env PYTHONDONTWRITEBYTECODE=1 ${PYTEST} --collect-only -q ${files} ${ARGN}
      WORKING_DIRECTORY ${folder} OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE found)
  endif()
  if(NOT found EQUAL 0)
    message(STATUS "The pages and scripts cannot be tested: pytest, pexpect or pyte is missing, or fails:\n${output}")
    add_test(NAME pytest COMMAND ${CMAKE_COMMAND} -E echo "SKIPPED: pytest, pexpect or pyte is missing")
    set_tests_properties(pytest PROPERTIES SKIP_REGULAR_EXPRESSION SKIPPED)
    return()
  endif()
  string(REGEX MATCHALL "test_[a-z_]+\\.py::[^\n]+" tests "${output}")
  foreach(test IN LISTS tests)
    # test_experiments.py::test_experiment[ctrl_c] is experiments.ctrl_c
    string(REGEX REPLACE "^test_([a-z_]+)\\.py::test_(experiment\\[|explain\\[)?" "\\1." name "${test}")
    string(REPLACE "[" "." name "${name}")
    string(REPLACE "]" "" name "${name}")
    add_test(NAME "${name}" COMMAND ${PYTEST} "${test}" ${ARGN} WORKING_DIRECTORY ${folder})
    set_tests_properties("${name}" PROPERTIES TIMEOUT 600 SKIP_REGULAR_EXPRESSION "SKIPPED \\[1\\]"
      ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
  endforeach()
  file(GLOB pages ${PROJECT_SOURCE_DIR}/README*.md ${PROJECT_SOURCE_DIR}/docs/*.md)
  file(GLOB sources ${folder}/*.py)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${pages} ${sources})
endfunction()
