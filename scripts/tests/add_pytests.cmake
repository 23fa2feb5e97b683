# add_pytests(FILES ARGUMENT...): one test for each that pytest finds in these files, started with the arguments.
find_program(PYTEST NAMES pytest-3 pytest)  # Debian's is for Debian's Python, whichever else there is
function(add_pytests files)
  set(command ${CMAKE_COMMAND} -E env PYTHONDONTWRITEBYTECODE=1 ${PYTEST} -p no:cacheprovider -ra -vv --tb=short)
  set(folder ${PROJECT_SOURCE_DIR}/scripts/tests)
  execute_process(COMMAND ${command} --collect-only -qqq ${files} ${ARGN}
    WORKING_DIRECTORY ${folder} OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(STATUS "The pages and scripts cannot be tested: pytest, pexpect or pyte is missing, or fails:\n${output}")
    set(output test_pages.py::no_pytest_or_pexpect_or_pyte)
    set(command ${CMAKE_COMMAND} -E echo "SKIPPED [1]")
  endif()
  string(REGEX MATCHALL "test_[a-z]+\\.py::[^\n]+" tests "${output}")
  foreach(test IN LISTS tests)
    string(REGEX REPLACE "test_(experiment\\[)?|\\]" "" name "${test}")  # test_experiments.py::test_experiment[ctrl_c]
    string(REGEX REPLACE "\\.py::|\\[" "." name "${name}")               # is experiments.ctrl_c
    add_test(NAME "${name}" COMMAND ${command} "${test}" ${ARGN} WORKING_DIRECTORY ${folder})
    set_tests_properties("${name}" PROPERTIES TIMEOUT 600 SKIP_REGULAR_EXPRESSION "SKIPPED \\[1\\]")
  endforeach()
  file(GLOB pages_and_tests ${PROJECT_SOURCE_DIR}/README*.md ${PROJECT_SOURCE_DIR}/docs/*.md ${folder}/*.py)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${pages_and_tests})
endfunction()
