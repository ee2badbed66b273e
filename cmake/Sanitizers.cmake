# KEYSTAY_SANITIZE=address;undefined  or  thread
if(KEYSTAY_SANITIZE)
  string(REPLACE ";" "," _sanitizers "${KEYSTAY_SANITIZE}")
  add_compile_options(-fsanitize=${_sanitizers} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${_sanitizers})
endif()
