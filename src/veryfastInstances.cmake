# SPDX-License-Identifier: MIT
# veryfast_instances(TARGET HEADER...): once for a target. The headers declare instances (with
# VF_DECLARE); makes a file with their bodies, which the target compiles with optimisation in all
# builds. In C++ where a header is a .hpp, .hh or .hxx.
function(veryfast_instances target)
  set(text "/* made by veryfast_instances() */\n#define VF_DEFINE_DECLARED\n")
  set(ending c)
  foreach(header ${ARGN})
    get_filename_component(header "${header}" ABSOLUTE)
    string(APPEND text "#include \"${header}\"\n")
    if(header MATCHES "\\.(hpp|hh|hxx)$")
      set(ending cpp)
    endif()
  endforeach()
  set(file "${CMAKE_CURRENT_BINARY_DIR}/${target}_instances.${ending}")
  file(WRITE "${file}.in" "${text}")
  configure_file("${file}.in" "${file}" COPYONLY) # which leaves one alone that is the same
  set_source_files_properties("${file}" PROPERTIES COMPILE_OPTIONS -O2)
  target_sources(${target} PRIVATE "${file}")
endfunction()
