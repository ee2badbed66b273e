#include "java/src/main/cpp/opened_store.h"

namespace keystay::jni {
namespace {

keys::KeptFile kept_file(const TokenStore& token, bool is_named, const std::optional<std::string>& file) {
  if (file) return keys::KeptFile::in_memory(*file);
  if (is_named) return keys::KeptFile::of_token(token.reference());
  // A program may pass no file because the file is missing.
  return keys::KeptFile::of_unnamed_token(
      token.reference(),
      "this key store was loaded without a key store file, and nobody has named the default token \"" +
          token.reference() +
          "\"; load a key store file, or name the token in the provider's argument (keytool: "
          "-providerarg " +
          token.reference() + ")");
}

// That of the file, where it names one.
std::shared_ptr<TokenStore> open_token(const std::optional<std::filesystem::path>& configuration,
                                       std::string_view otherwise, const std::optional<std::string>& file) {
  const std::string named = file ? keys::KeptFile::in_memory(*file).content().token : std::string();
  return TokenStore::open(configuration, named.empty() ? otherwise : named);
}

}  // namespace

OpenedStore::OpenedStore(const std::optional<std::filesystem::path>& configuration, std::string_view token,
                         const std::optional<std::string>& file)
    : token_(open_token(configuration, token, file)),
      file_(kept_file(*token_, !token.empty(), file)),
      aliases_(keys(), file_) {}

}  // namespace keystay::jni
