#include "keystore-tools/opened_store.h"

#include <cstdio>
#include <filesystem>
#include <string>
#include <utility>

#include <fmt/core.h>

#include "keystore-tools/failure.h"
#include "keystore-tools/terminal.h"
#include "native/config/file.h"
#include "native/config/optional_configuration.h"
#include "native/keys/tokens.h"
#include "native/pkcs11/uri.h"

namespace keystay::tools {
namespace {

// A PIN that was given on the command line answers the question for it.
config::PinPrompt prompt(const StoreOptions& options) {
  return [given = options.pin](std::string_view token) {
    if (!given) return ask_pin("PIN of token \"" + std::string(token) + "\": ");
    return given->copy();
  };
}

// "" if the PIN is to come from where the configuration says.
std::string pin_source(const StoreOptions& options) { return options.pin ? "prompt" : options.pin_source; }

config::Configuration configuration(const StoreOptions& options, std::string_view token) {
  const auto file = options.configuration.empty() ? config::configuration_file() : options.configuration;
  config::Configuration configuration = pkcs11::is_pkcs11_uri(token)
                                            ? config::read_optional_configuration(options.configuration)
                                            : config::read_configuration(file);
  if (const std::string source = pin_source(options); !source.empty()) {
    for (auto& [name, settings] : configuration.tokens) settings.pin = source;
  }
  return configuration;
}

std::shared_ptr<keys::KeySource> open_source(const std::string& name, const StoreOptions& options) {
  keys::Tokens tokens(configuration(options, name), prompt(options));
  if (!pkcs11::is_pkcs11_uri(name)) return tokens.source(std::string_view(name));
  pkcs11::Uri uri = pkcs11::parse_token_uri(name);
  if (const std::string source = pin_source(options); !source.empty()) uri.pin_source = source;
  return tokens.source(uri);
}

// keytool's word for "no file: the token itself".
bool names_a_file(const std::filesystem::path& key_store) {
  return !key_store.empty() && key_store != "NONE";
}

std::string absence(const std::filesystem::path& file) {
  return "the key store file " + file.string() +
         " does not exist; correct its name, or make it by -genkeypair or -importcert (-keystore NONE is the "
         "token itself)";
}

// Before there is an alias for it.
void require_directory(const std::filesystem::path& file) {
  const auto directory = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  std::error_code unreadable;
  if (std::filesystem::is_directory(directory, unreadable)) return;
  throw Failure("the key store file " + file.string() + " cannot be made: " + directory.string() +
                " is no directory that can be entered");
}

config::KeyStoreFile key_store_file(const StoreOptions& options, bool is_missing) {
  config::KeyStoreFile key_store;
  if (names_a_file(options.key_store) && !is_missing) {
    key_store = config::read_key_store(options.key_store);
  } else {
    key_store.token = options.token;
  }
  if (!options.token.empty() && key_store.token != options.token) {
    throw Failure("the key store file " + options.key_store.string() + " is for token \"" + key_store.token +
                  "\", not for \"" + options.token + "\"; leave -token out, or name another file");
  }
  return key_store;
}

}  // namespace

// The file on the disk, or the one that is to be made.
class OpenedStore::FileOnDisk final : public keys::KeptFile {
 public:
  FileOnDisk(const StoreOptions& options, MissingKeyStore missing)
      : path_(names_a_file(options.key_store) ? options.key_store : std::filesystem::path()),
        is_missing_(find_missing(missing)),
        content_(key_store_file(options, is_missing_)) {}

  [[nodiscard]] const config::KeyStoreFile& content() const override { return content_; }
  [[nodiscard]] std::string name() const override { return path_.string(); }

  void update(const std::function<void(config::KeyStoreFile&)>& change) override {
    if (path_.empty()) return;
    config::update_key_store(path_, content_, [&](config::KeyStoreFile& content) {
      change(content);
      content_ = content;
    });
    if (!std::exchange(is_missing_, false)) return;
    fmt::print(stderr, "keystay: note: made the key store file {}, with all aliases of {}\n", path_.string(),
               token_);
  }

  void require_made() const override {
    if (is_missing_) throw Failure(absence(path_));
  }

  void set_token(std::string name) { token_ = std::move(name); }

 private:
  [[nodiscard]] bool find_missing(MissingKeyStore missing) const {
    if (path_.empty() || !config::is_absent(path_)) return false;
    if (missing == MissingKeyStore::refused) throw Failure(absence(path_));
    require_directory(path_);
    return true;
  }

  std::filesystem::path path_;  // empty: none
  bool is_missing_;             // until the first alias makes it
  config::KeyStoreFile content_;
  std::string token_;  // for messages
};

OpenedStore::OpenedStore(const StoreOptions& options, MissingKeyStore missing)
    : file_(std::make_unique<FileOnDisk>(options, missing)),
      keys_(open_source(file_->content().token, options), pkix_),
      aliases_(keys_, *file_) {
  file_->set_token(keys_.source().name());
}

OpenedStore::~OpenedStore() = default;

}  // namespace keystay::tools
