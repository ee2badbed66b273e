# One line per target. Includes are written from the top of the tree: "native/pkcs11/token.h".

# keystay_library(NAME SOURCES... LINK libs...): a static library of the native core.
function(keystay_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_include_directories(${name} PUBLIC "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PUBLIC ${ARG_LINK})
endfunction()

# keystay_announce_fibres(NAME): under ThreadSanitizer, which does not know of OpenSSL's.
function(keystay_announce_fibres name)
  if(TARGET keystay_tsan_fibres)
    target_sources(${name} PRIVATE $<TARGET_OBJECTS:keystay_tsan_fibres>)
  endif()
endfunction()

# keystay_program(NAME SOURCES... LINK libs...): an executable in bin/.
function(keystay_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PRIVATE ${ARG_LINK})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
  keystay_announce_fibres(${name})
endfunction()

# keystay_test(NAME SOURCES... LINK libs...): a GoogleTest program, one CTest test.
function(keystay_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;LINK" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 600) # seconds: only to end what hangs
  endif()
  if(KEYSTAY_SANITIZE)
    math(EXPR ARG_TIMEOUT "3 * ${ARG_TIMEOUT}") # sanitized code is that much slower
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PRIVATE ${ARG_LINK} keystay_test_support GTest::gmock GTest::gtest_main)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests")
  keystay_announce_fibres(${name})
  # What runs once is not worth the compiler's time: this is a third of it.
  target_compile_options(${name} PRIVATE $<$<CONFIG:RelWithDebInfo>:-O1>)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT}
    ENVIRONMENT "KEYSTAY_BUILD=${PROJECT_BINARY_DIR};KEYSTAY_SOURCE=${PROJECT_SOURCE_DIR}")
  if(KEYSTAY_SANITIZE MATCHES "thread")
    set_property(TEST ${name} APPEND PROPERTY ENVIRONMENT
      "TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/support/third_party_races.supp")
  elseif(KEYSTAY_SANITIZE MATCHES "address")
    # The slow unwinder sees through libraries without frame pointers, so that a leak can be told by its library.
    # Its time goes with the frames, of which twelve reach from libcrypto to SoftHSM.
    set_property(TEST ${name} APPEND PROPERTY ENVIRONMENT
      "ASAN_OPTIONS=fast_unwind_on_malloc=0:malloc_context_size=12"
      "LSAN_OPTIONS=print_suppressions=0:suppressions=${PROJECT_SOURCE_DIR}/tests/support/third_party_leaks.supp")
  endif()
endfunction()
