#include "keystore-tools/acme/libcurl.h"

#include <string>

#include <dlfcn.h>

#include "keystore-tools/failure.h"

namespace keystay::tools::acme {
namespace {

constexpr char kLibrary[] = "libcurl.so.4";

class Library final {
 public:
  // Never closed: what it has started may have threads and handlers.
  Library() : handle_(::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL)) {
    if (handle_) return;
    throw Failure(std::string("ACME needs libcurl: ") + reason() +
                  "; install it (package libcurl4 or libcurl4t64, libcurl of Red Hat)");
  }

  // `Function` is a pointer to one. By its type alone: a mention of the function itself would link libcurl.
  template <typename Function>
  Function find(const char* name) const {
    void* address = ::dlsym(handle_, name);
    if (!address)
      throw Failure(std::string("ACME needs libcurl 7.85 or later, and ") + kLibrary + " has no " + name);
    return reinterpret_cast<Function>(address);
  }

 private:
  static std::string reason() {
    const char* text = ::dlerror();
    return text ? text : "it cannot be loaded";
  }

  void* handle_;
};

LibCurl load() {
  const Library library;
  auto* const global_init = library.find<decltype(&::curl_global_init)>("curl_global_init");
  if (const CURLcode code = global_init(CURL_GLOBAL_DEFAULT); code != CURLE_OK)
    throw Failure("curl_global_init: code " + std::to_string(code));
  return {.easy_init = library.find<decltype(&::curl_easy_init)>("curl_easy_init"),
          .easy_cleanup = library.find<decltype(&::curl_easy_cleanup)>("curl_easy_cleanup"),
          .easy_reset = library.find<decltype(&::curl_easy_reset)>("curl_easy_reset"),
          .easy_setopt = library.find<decltype(&::curl_easy_setopt)>("curl_easy_setopt"),
          .easy_perform = library.find<decltype(&::curl_easy_perform)>("curl_easy_perform"),
          .easy_getinfo = library.find<decltype(&::curl_easy_getinfo)>("curl_easy_getinfo"),
          .easy_strerror = library.find<decltype(&::curl_easy_strerror)>("curl_easy_strerror"),
          .easy_header = library.find<decltype(&::curl_easy_header)>("curl_easy_header"),
          .slist_append = library.find<decltype(&::curl_slist_append)>("curl_slist_append"),
          .slist_free_all = library.find<decltype(&::curl_slist_free_all)>("curl_slist_free_all")};
}

}  // namespace

const LibCurl& libcurl() {
  static const LibCurl functions = load();
  return functions;
}

}  // namespace keystay::tools::acme
