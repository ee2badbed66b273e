// libcurl's functions, looked up when the first of them is needed: with what it links (LDAP, Kerberos, GnuTLS
// …) it would double the start of each command, and stand beside the PIN in all of them
// (docs/design/acme.md).
#pragma once

#define CURL_DISABLE_TYPECHECK  // its checks are macros over the functions' names
#include <curl/curl.h>

namespace keystay::tools::acme {

struct LibCurl {
  decltype(&::curl_easy_init) easy_init;
  decltype(&::curl_easy_cleanup) easy_cleanup;
  decltype(&::curl_easy_reset) easy_reset;
  decltype(&::curl_easy_setopt) easy_setopt;
  decltype(&::curl_easy_perform) easy_perform;
  decltype(&::curl_easy_getinfo) easy_getinfo;
  decltype(&::curl_easy_strerror) easy_strerror;
  decltype(&::curl_easy_header) easy_header;
  decltype(&::curl_slist_append) slist_append;
  decltype(&::curl_slist_free_all) slist_free_all;
};

// Loads and initializes it at the first call; it stays for the life of the process. Throws Failure that says
// which package brings it.
[[nodiscard]] const LibCurl& libcurl();

}  // namespace keystay::tools::acme
