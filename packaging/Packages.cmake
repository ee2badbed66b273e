# The packages of cpack: Debian's, and RPMs where rpmbuild is installed.
set(CPACK_PACKAGE_NAME keystay)
set(CPACK_PACKAGE_VENDOR "Keystay")
set(CPACK_PACKAGE_CONTACT "Keystay maintainers <maintainers@keystay.invalid>" CACHE STRING "Maintainer of the packages")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_RESOURCE_FILE_LICENSE "${PROJECT_SOURCE_DIR}/LICENSE")
set(CPACK_PACKAGING_INSTALL_PREFIX "${CMAKE_INSTALL_PREFIX}")
set(CPACK_SET_DESTDIR ON) # what is installed in /etc goes into the packages as well
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_COMPONENTS_ALL tool provider)
if(KEYSTAY_TLSD)
  list(APPEND CPACK_COMPONENTS_ALL tlsd)
endif()
if(KEYSTAY_JAVA)
  list(APPEND CPACK_COMPONENTS_ALL java)
endif()

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)

set(CPACK_RPM_COMPONENT_INSTALL ON)
set(CPACK_RPM_FILE_NAME RPM-DEFAULT)
set(CPACK_RPM_PACKAGE_RELEASE 1)
set(CPACK_RPM_PACKAGE_LICENSE Apache-2.0)
set(CPACK_RPM_EXCLUDE_FROM_AUTO_FILELIST_ADDITION
  /etc /etc/default /etc/logrotate.d /usr/libexec /usr/lib/systemd /usr/lib/systemd/system /usr/lib/sysusers.d /usr/lib/tmpfiles.d /usr/sbin
  /usr/share/bash-completion /usr/share/bash-completion/completions /usr/share/java /usr/share/man /usr/share/man/man1
  /usr/share/man/man8 /usr/share/zsh /usr/share/zsh/site-functions "${KEYSTAY_OPENSSL_MODULES_DIR}")

# Debian wants a copyright and a changelog beside every package, and both compressed the same way on every machine.
string(TIMESTAMP _changelog_date "%a, %d %b %Y %H:%M:%S +0000" UTC)

# keystay_package(COMPONENT NAME SECTION SUMMARY DESCRIPTION): names of CPack's variables, spelt out once.
function(keystay_package component name section summary description)
  string(TOUPPER ${component} key)
  set(CPACK_DEBIAN_${key}_PACKAGE_NAME ${name} PARENT_SCOPE)
  set(CPACK_DEBIAN_${key}_PACKAGE_SECTION ${section} PARENT_SCOPE)
  set(CPACK_RPM_${component}_PACKAGE_NAME ${name} PARENT_SCOPE)
  set(CPACK_RPM_${component}_PACKAGE_SUMMARY "${summary}" PARENT_SCOPE)
  set(CPACK_COMPONENT_${key}_DESCRIPTION "${summary}\n${description}" PARENT_SCOPE)

  set(PACKAGE_NAME ${name})
  set(CHANGELOG_DATE "${_changelog_date}")
  set(directory "${CMAKE_CURRENT_BINARY_DIR}/${name}")
  configure_file(deb/changelog.in "${directory}/changelog.Debian" @ONLY)
  execute_process(COMMAND "${GZIP}" -9 -n -f -k "${directory}/changelog.Debian" COMMAND_ERROR_IS_FATAL ANY)
  install(FILES "${directory}/changelog.Debian.gz" deb/copyright DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/${name}"
    COMPONENT ${component})

  set(scripts)
  foreach(script postinst prerm postrm conffiles)
    if(EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/deb/${name}.${script}")
      set(mode 0755)
      file(MAKE_DIRECTORY "${directory}/control")
      configure_file(deb/${name}.${script} "${directory}/control/${script}" COPYONLY)
      list(APPEND scripts "${directory}/control/${script}")
    endif()
  endforeach()
  set(CPACK_DEBIAN_${key}_PACKAGE_CONTROL_EXTRA "${scripts}" PARENT_SCOPE)
endfunction()

keystay_package(tool keystay admin "tool for TLS keys that stay in an HSM"
  "Makes, lists, imports, renews and destroys keys and certificates in a PKCS\n#11 token, with keytool's commands. It brings the configuration that all\nparts of Keystay read, and the group whose members may use the keys.")
keystay_package(tlsd keystay-tlsd httpd "TLS terminator whose private keys stay in an HSM"
  "Accepts HTTPS and passes requests on to servers behind it. While the HSM\nsigns, it goes on with other connections.")
keystay_package(provider keystay-openssl-provider libs "OpenSSL provider for keys that stay in an HSM"
  "Lets every server and client on OpenSSL 3 use a key in a PKCS #11 token by\nits alias, without a change of the program: nginx, Apache, HAProxy, Postfix\nand others.")
keystay_package(java libkeystay-java java "Java key store of keys that stay in an HSM"
  "A JCA provider with the key store type Keystay: keytool, and servers on\nJSSE, use keys in a PKCS #11 token by their aliases.")

set(CPACK_DEBIAN_TOOL_PACKAGE_RECOMMENDS "softhsm2, libcurl4t64 | libcurl4, ca-certificates") # the latter two for ACME
set(CPACK_DEBIAN_TOOL_PACKAGE_SUGGESTS "keystay-openssl-provider, keystay-tlsd, libkeystay-java")
set(CPACK_DEBIAN_TOOL_PACKAGE_DEPENDS "passwd")
set(_same "(= ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})")
set(CPACK_DEBIAN_TLSD_PACKAGE_DEPENDS "keystay ${_same}, keystay-openssl-provider ${_same}, passwd")
set(CPACK_DEBIAN_PROVIDER_PACKAGE_RECOMMENDS "keystay, openssl")
set(CPACK_DEBIAN_JAVA_PACKAGE_DEPENDS "default-jre-headless (>= 2:1.11) | java11-runtime-headless")
set(CPACK_DEBIAN_JAVA_PACKAGE_RECOMMENDS "keystay")

set(CPACK_RPM_tlsd_PACKAGE_REQUIRES "keystay = ${PROJECT_VERSION}, keystay-openssl-provider = ${PROJECT_VERSION}")
set(CPACK_RPM_java_PACKAGE_REQUIRES "java-headless >= 1:11")
set(CPACK_RPM_tool_PACKAGE_SUGGESTS "libcurl, ca-certificates") # for ACME
set(CPACK_RPM_tool_USER_FILELIST "%config(noreplace) ${KEYSTAY_CONFIGURATION_DIR}/keystay.toml")
set(CPACK_RPM_tlsd_USER_FILELIST "%config(noreplace) /etc/default/keystay-tlsd"
  "%config(noreplace) /etc/logrotate.d/keystay-tlsd")
set(CPACK_RPM_tool_POST_INSTALL_SCRIPT_FILE "${CMAKE_CURRENT_SOURCE_DIR}/rpm/keystay.post")
set(CPACK_RPM_tool_PRE_UNINSTALL_SCRIPT_FILE "${CMAKE_CURRENT_SOURCE_DIR}/rpm/keystay.preun")
set(CPACK_RPM_tlsd_POST_INSTALL_SCRIPT_FILE "${CMAKE_CURRENT_SOURCE_DIR}/rpm/keystay-tlsd.post")
set(CPACK_RPM_tlsd_PRE_UNINSTALL_SCRIPT_FILE "${CMAKE_CURRENT_SOURCE_DIR}/rpm/keystay-tlsd.preun")

include(CPack)
