# Where things go, in one place. Each directory is a cache variable, for those whose system wants another one.
include(GNUInstallDirs)

# OpenSSL loads a provider by its name only from its own modules directory, wherever else the rest is installed. A tree
# with a prefix of its own (/opt/keystay, a home directory) keeps to itself; openssl.cnf then names the file.
pkg_get_variable(_openssl_modules libcrypto modulesdir)
if(NOT _openssl_modules OR NOT CMAKE_INSTALL_PREFIX MATCHES "^/usr(/local)?/?$")
  set(_openssl_modules "${CMAKE_INSTALL_FULL_LIBDIR}/ossl-modules")
endif()
set(KEYSTAY_OPENSSL_MODULES_DIR "${_openssl_modules}" CACHE PATH "Where keystay.so is installed, and looked for")

# Programs that nobody starts by hand.
set(KEYSTAY_LIBEXEC_DIR "${CMAKE_INSTALL_FULL_LIBEXECDIR}/keystay" CACHE PATH "Where keystay-relay is installed")

# The configuration has one place (design: /etc/keystay/keystay.toml), whatever the prefix; DESTDIR applies.
set(KEYSTAY_CONFIGURATION_DIR "/etc/keystay")
set(KEYSTAY_SYSTEMD_UNIT_DIR "${CMAKE_INSTALL_PREFIX}/lib/systemd/system" CACHE PATH "Where systemd looks for units")
set(KEYSTAY_SYSUSERS_DIR "${CMAKE_INSTALL_PREFIX}/lib/sysusers.d" CACHE PATH "Where systemd-sysusers looks")
set(KEYSTAY_TMPFILES_DIR "${CMAKE_INSTALL_PREFIX}/lib/tmpfiles.d" CACHE PATH "Where systemd-tmpfiles looks")
set(KEYSTAY_BASH_COMPLETION_DIR "${CMAKE_INSTALL_FULL_DATADIR}/bash-completion/completions" CACHE PATH
  "Where bash-completion looks")
set(KEYSTAY_ZSH_COMPLETION_DIR "${CMAKE_INSTALL_FULL_DATADIR}/zsh/site-functions" CACHE PATH "Where zsh looks")
