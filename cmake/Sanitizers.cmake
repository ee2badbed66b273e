# KEYSTAY_SANITIZE=address;undefined  or  thread
if(KEYSTAY_SANITIZE)
  string(REPLACE ";" "," _sanitizers "${KEYSTAY_SANITIZE}")
  add_compile_options(-fsanitize=${_sanitizers} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${_sanitizers})
endif()

# What tells ThreadSanitizer of the fibres of OpenSSL's jobs; see the file.
if(KEYSTAY_SANITIZE MATCHES "thread")
  add_library(keystay_tsan_fibres OBJECT "${PROJECT_SOURCE_DIR}/tests/support/tsan_fibres.cpp")
endif()
