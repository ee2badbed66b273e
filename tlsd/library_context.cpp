#include "tlsd/library_context.h"

#include <cstring>

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "tlsd/openssl_error.h"

namespace keystay::tlsd {
namespace {

// OSSL_CALLBACK of OSSL_PROVIDER_get_capabilities: takes the function out of the parameter.
int take_abandon(const OSSL_PARAM parameters[], void* result) {
  const OSSL_PARAM* parameter = OSSL_PARAM_locate_const(parameters, async::kAbandonParameter);
  const void* function = nullptr;
  std::size_t size = 0;
  if (parameter == nullptr || OSSL_PARAM_get_octet_ptr(parameter, &function, &size) != 1) return 0;
  std::memcpy(result, &function, sizeof function);
  return 1;
}

}  // namespace

std::filesystem::path module_directory() {
  std::error_code ignored;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", ignored);
  const auto beside = program.parent_path().parent_path() / "ossl-modules";
  if (!program.empty() && std::filesystem::exists(beside / "keystay.so", ignored)) return beside;
  return KEYSTAY_MODULE_DIRECTORY;
}

LibraryContext::LibraryContext() : library_(OSSL_LIB_CTX_new()) {
  if (!library_) throw openssl_error("OSSL_LIB_CTX_new");
  default_.reset(OSSL_PROVIDER_load(library_.get(), "default"));
  if (!default_) throw openssl_error("cannot load OpenSSL's provider `default`");
}

void LibraryContext::load_keystay(const std::filesystem::path& directory) {
  OSSL_PROVIDER_set_default_search_path(library_.get(), directory.c_str());
  keystay_.reset(OSSL_PROVIDER_load(library_.get(), "keystay"));
  if (!keystay_) {
    throw openssl_error("cannot load the provider `keystay` (" + (directory / "keystay.so").string() + ")");
  }
  OSSL_PROVIDER_get_capabilities(keystay_.get(), async::kCapability, &take_abandon, &abandon_);
}

}  // namespace keystay::tlsd
