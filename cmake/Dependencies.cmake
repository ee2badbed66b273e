# Every library that Keystay uses, found once, with what it is used for.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)                        # x509, provider, tlsd
pkg_check_modules(P11KIT REQUIRED IMPORTED_TARGET p11-kit-1) # PKCS#11 header, RFC 7512 URIs
pkg_check_modules(TOMLPP REQUIRED IMPORTED_TARGET tomlplusplus) # native/config
find_package(fmt REQUIRED)                                # messages of the programs
find_package(spdlog REQUIRED)                             # tlsd: log
find_package(CLI11 REQUIRED)                              # keystore-tools, tlsd: command lines
pkg_check_modules(CURL REQUIRED libcurl>=7.85)            # keystore-tools: HTTPS of ACME; its headers only
find_package(Boost 1.81 REQUIRED COMPONENTS url)          # tlsd: Asio, Beast, URL
find_package(prometheus-cpp REQUIRED COMPONENTS core)     # tlsd: /metrics
pkg_check_modules(NGHTTP2 REQUIRED IMPORTED_TARGET libnghttp2>=1.52) # tlsd: frames of HTTP/2

# toml++ is compiled once, in native/config.
add_library(keystay_toml INTERFACE)
target_link_libraries(keystay_toml INTERFACE PkgConfig::TOMLPP)

if(KEYSTAY_TESTS OR KEYSTAY_BENCHMARKS)
  find_package(GTest REQUIRED)                            # tests
  pkg_check_modules(LIBP11 REQUIRED IMPORTED_TARGET libp11) # tests: reads what Keystay wrote, as another library sees it
endif()
if(KEYSTAY_BENCHMARKS)
  find_package(benchmark REQUIRED)                        # tests/bench
endif()
