# Makes the .zip of the build in BUILD, unpacks it, and fails unless the program in it still shares its section.
cmake_minimum_required(VERSION 3.22)
set(folder ${BUILD}/package-test)
file(REMOVE_RECURSE ${folder})
get_filename_component(tools ${CMAKE_COMMAND} DIRECTORY)

execute_process(COMMAND ${tools}/cpack --config ${BUILD}/CPackConfig.cmake -G ZIP -C ${CONFIG} -B ${folder}
  OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
file(GLOB package ${folder}/share-data-*.zip)
file(ARCHIVE_EXTRACT INPUT ${package} DESTINATION ${folder}/unpacked)
foreach(wanted IN ITEMS bin/share_data.exe bin/share_data_table.dll bin/launch_n.cmd README.md LICENSE)
  file(GLOB found ${folder}/unpacked/*/${wanted})
  if(NOT found)
    message(FATAL_ERROR "${package} does not have ${wanted}")
  endif()
endforeach()

file(GLOB FILE ${folder}/unpacked/*/bin/share_data.exe)
include(${CMAKE_CURRENT_LIST_DIR}/../check_shared_section.cmake)
