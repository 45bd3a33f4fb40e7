# Installs the library under WORK, builds the consumer against it and runs it; then configures it as a parent of SOURCE.
file(REMOVE_RECURSE ${WORK})
set(configure "-G;${GENERATOR};-DCMAKE_MAKE_PROGRAM=${MAKE};-DCMAKE_CXX_COMPILER=${CXX};-S;${CMAKE_CURRENT_LIST_DIR}")
foreach(step
    "--install;${BUILD};--component;cpp;--prefix;${WORK}/installed"
    "${configure};-B;${WORK}/build;-DCMAKE_PREFIX_PATH=${WORK}/installed"
    "--build;${WORK}/build"
    "-E;env;${WORK}/build/consumer"
    "${configure};-B;${WORK}/parent;-DTURNOUT_SOURCE=${SOURCE}")
  execute_process(COMMAND ${CMAKE_COMMAND} ${step} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
