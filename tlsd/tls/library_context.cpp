#include "tlsd/tls/library_context.h"

#include <cctype>
#include <cstring>
#include <string>

#include <openssl/bio.h>
#include <openssl/conf.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <spdlog/spdlog.h>

#include "tlsd/tls/openssl_error.h"

namespace keystay::tlsd {
namespace {

// The pointer that an OSSL_PARAM_OCTET_PTR of this name holds; null if there is none.
const void* pointer(const OSSL_PARAM parameters[], const char* name) {
  const OSSL_PARAM* parameter = OSSL_PARAM_locate_const(parameters, name);
  const void* value = nullptr;
  std::size_t size = 0;
  if (parameter == nullptr || OSSL_PARAM_get_octet_ptr(parameter, &value, &size) != 1) return nullptr;
  return value;
}

// OSSL_CALLBACKs of OSSL_PROVIDER_get_capabilities.
int take_abandon(const OSSL_PARAM parameters[], void* result) {
  const void* function = pointer(parameters, async::kAbandonParameter);
  std::memcpy(result, &function, sizeof function);
  return function != nullptr ? 1 : 0;
}

struct Reload {
  config::ReloadFunction reload;
  config::ReloadFunction check;
  config::ReloadFunction restore;
  void* argument;
};

int take_reload(const OSSL_PARAM parameters[], void* result) {
  const void* functions[] = {pointer(parameters, config::kReloadParameter),
                             pointer(parameters, config::kCheckParameter),
                             pointer(parameters, config::kRestoreParameter)};
  auto& taken = *static_cast<Reload*>(result);
  std::memcpy(&taken.reload, &functions[0], sizeof functions[0]);
  std::memcpy(&taken.check, &functions[1], sizeof functions[1]);
  std::memcpy(&taken.restore, &functions[2], sizeof functions[2]);
  taken.argument = const_cast<void*>(pointer(parameters, config::kReloadArgumentParameter));
  return taken.reload != nullptr && taken.check != nullptr && taken.restore != nullptr ? 1 : 0;
}

struct Groups {
  config::GroupReportFunction report;
  config::GroupListenFunction listen;
  void* argument;
};

int take_groups(const OSSL_PARAM parameters[], void* result) {
  const void* functions[] = {pointer(parameters, config::kGroupReportParameter),
                             pointer(parameters, config::kGroupListenParameter)};
  auto& taken = *static_cast<Groups*>(result);
  std::memcpy(&taken.report, &functions[0], sizeof functions[0]);
  std::memcpy(&taken.listen, &functions[1], sizeof functions[1]);
  taken.argument = const_cast<void*>(pointer(parameters, config::kGroupArgumentParameter));
  return taken.report != nullptr && taken.listen != nullptr ? 1 : 0;
}

struct Signers {
  config::SignerReportFunction report = nullptr;
  void* argument = nullptr;
};

int take_signers(const OSSL_PARAM parameters[], void* result) {
  const void* report = pointer(parameters, config::kSignerReportParameter);
  auto& taken = *static_cast<Signers*>(result);
  std::memcpy(&taken.report, &report, sizeof report);
  taken.argument = const_cast<void*>(pointer(parameters, config::kSignerArgumentParameter));
  return taken.report != nullptr ? 1 : 0;
}

void log_notice(const char* sentence, void*) { spdlog::warn("{}", sentence); }

// A value of openssl.cnf (config(5)): a backslash takes the meaning from what follows it.
std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '/' || c == '.' || c == '-' ||
                       c == '_' || (static_cast<unsigned char>(c) & 0x80U) != 0;
    if (static_cast<unsigned char>(c) < 0x20) {
      throw CryptoError("a path has a control character, which OpenSSL cannot read: " + text);
    }
    if (!plain) result.push_back('\\');
    result.push_back(c);
  }
  return result;
}

// What openssl.cnf would say: before OpenSSL 3.2 the only way to give parameters to a provider. A changed
// file takes effect at SIGHUP, as a whole or not at all, and so the provider does not follow it by itself.
std::string provider_section(const std::filesystem::path& module,
                             const std::filesystem::path& configuration) {
  return "openssl_conf = tlsd\n"
         "[tlsd]\nproviders = providers\n"
         "[providers]\nkeystay = keystay\n"
         "[keystay]\nactivate = 1\nmodule = " +
         escaped(module.string()) + "\nconfiguration = " + escaped(configuration.string()) +
         "\nfollow-configuration = false\n";
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

void LibraryContext::load_keystay(const std::filesystem::path& directory,
                                  const std::filesystem::path& configuration) {
  const std::filesystem::path module = directory / "keystay.so";
  const std::string text = provider_section(module, std::filesystem::absolute(configuration));
  const BioHandle source(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  const ConfHandle conf(NCONF_new_ex(library_.get(), nullptr));
  long line = 0;
  if (!source || !conf || NCONF_load_bio(conf.get(), source.get(), &line) != 1 ||
      CONF_modules_load(conf.get(), nullptr, 0) != 1) {
    throw openssl_error("cannot load the provider `keystay` (" + module.string() + ")");
  }
  keystay_.reset(OSSL_PROVIDER_load(library_.get(), "keystay"));
  if (!keystay_) throw openssl_error("cannot load the provider `keystay` (" + module.string() + ")");
  OSSL_PROVIDER_get_capabilities(keystay_.get(), async::kCapability, &take_abandon, &abandon_);
  Reload reload{};
  OSSL_PROVIDER_get_capabilities(keystay_.get(), config::kReloadCapability, &take_reload, &reload);
  reload_ = reload.reload;
  check_ = reload.check;
  restore_ = reload.restore;
  reload_argument_ = reload.argument;
  Signers signers{};
  OSSL_PROVIDER_get_capabilities(keystay_.get(), config::kSignerCapability, &take_signers, &signers);
  report_signers_ = signers.report;
  signers_argument_ = signers.argument;
  Groups groups{};
  if (OSSL_PROVIDER_get_capabilities(keystay_.get(), config::kGroupCapability, &take_groups, &groups) != 1)
    return;
  report_groups_ = groups.report;
  groups_argument_ = groups.argument;
  static_cast<void>(groups.listen(groups.argument, &log_notice, nullptr));
}

void LibraryContext::reload_tokens() const {
  if (!keystay_) return;
  ERR_clear_error();
  if (reload_ == nullptr || check_ == nullptr || restore_ == nullptr) {
    throw CryptoError("the provider `keystay` is of another release, which cannot read [token.*] again");
  }
  if (reload_(reload_argument_) != 1) throw openssl_error("cannot read the tokens again");
}

void LibraryContext::check_tokens() const {
  if (!keystay_) return;
  ERR_clear_error();
  if (check_(reload_argument_) != 1) throw openssl_error("a restart could not log in");
}

void LibraryContext::restore_tokens() const noexcept {
  if (restore_ != nullptr) static_cast<void>(restore_(reload_argument_));
}

void LibraryContext::report_groups(config::GroupMemberFunction report, void* argument) const noexcept {
  if (report_groups_ == nullptr) return;
  static_cast<void>(report_groups_(groups_argument_, report, argument));
  ERR_clear_error();  // a configuration that cannot be read now has been reported where it was
}

void LibraryContext::report_signers(config::SignerFunction report, void* argument) const noexcept {
  if (report_signers_ == nullptr) return;
  static_cast<void>(report_signers_(signers_argument_, report, argument));
  ERR_clear_error();
}

}  // namespace keystay::tlsd
