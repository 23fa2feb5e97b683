# Explorations of a model by Spin, as tests. `ctest -R model` runs them all.
find_program(SPIN spin)
if(NOT SPIN)
  message(STATUS "spin not found: the model of the protocol is not explored")
endif()
set(explore_folder ${CMAKE_CURRENT_LIST_DIR})

# The model of the calling folder (${explore_model}, by default membership.pml) with -D…; `expected` is holds or fails.
function(add_exploration name expected)
  if(NOT explore_model)
    set(explore_model membership.pml)
  endif()
  if(SPIN)
    add_test(NAME model.${name}
      COMMAND sh ${explore_folder}/check.sh ${expected} ${CMAKE_CURRENT_SOURCE_DIR}/${explore_model}
        ${CMAKE_CURRENT_BINARY_DIR}/${name} ${ARGN})
    set_tests_properties(model.${name} PROPERTIES LABELS exhaustive TIMEOUT 900)
    if(expected STREQUAL holds)  # starts early, and two at a time of each system, beside tests that mostly wait
      get_property(models GLOBAL PROPERTY models)
      set_property(GLOBAL APPEND PROPERTY models ${name})
      list(LENGTH models number)
      math(EXPR lock "${number} % 2")
      set_tests_properties(model.${name} PROPERTIES COST 60 RESOURCE_LOCK models_${CMAKE_SYSTEM_NAME}_${lock})
    endif()
  endif()
endfunction()

function(add_mutant name)
  add_exploration(mutant.${name} fails -DMUTANT=${name} ${ARGN})
endfunction()
