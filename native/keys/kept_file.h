// The key store file of an AliasStore (docs/design/alias-model.md), wherever it is kept: on a disk, or by a
// program that has loaded it and will store it. It may also be missing: then a token stands for all that is
// on it.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "native/config/key_store_file.h"
#include "native/pkcs11/mutex.h"

namespace keystay::keys {

// Thread-safe. Throws config::Error.
class KeptFile final {
 public:
  // No file, and none to be made: all aliases of a token that the user has named.
  [[nodiscard]] static KeptFile of_token(std::string token);
  // The same of a token that the user has not named: `refusal` says so, and what to do. It may be read, and
  // aliases may be made on it, and none of what is there may be changed.
  [[nodiscard]] static KeptFile of_unnamed_token(std::string token, std::string refusal);
  // A file on a disk, read now. Each change begins with what is there by then, and is written at once.
  [[nodiscard]] static KeptFile on_disk(std::filesystem::path path);
  // One that does not exist, and is made with the first alias, for all aliases of the token: `made` is called
  // then. Until then as of_unnamed_token().
  [[nodiscard]] static KeptFile to_be_made(std::filesystem::path path, std::string token, std::string refusal,
                                           std::function<void()> made);
  // The bytes of a file, which the program that read them writes when it wants to: text().
  [[nodiscard]] static KeptFile in_memory(std::string text);

  KeptFile(const KeptFile&) = delete;
  KeptFile& operator=(const KeptFile&) = delete;

  [[nodiscard]] config::KeyStoreFile content() const;
  // What it is as a file: byte for byte as it was read, comments included, unless a change came.
  [[nodiscard]] std::string text() const;
  // For messages: `key store file web.keystore`.
  [[nodiscard]] std::string name() const;

  // Lets `change` work on the newest content, and keeps what it is then.
  void update(const std::function<void(config::KeyStoreFile&)>& change);

  // False while it is of an unnamed token, or to be made: nothing says then that an alias that exists may be
  // changed.
  [[nodiscard]] bool is_named() const;
  // Throws config::Error if it is not, about this change: `rename alias "web"`.
  void require_named(std::string_view change) const;

 private:
  struct State {
    config::KeyStoreFile content;
    std::optional<std::string> text{};  // that was read, while it says the same
    std::string refusal{};              // empty: it is named
    std::function<void()> made{};       // empty: there is none to be made
  };
  KeptFile(std::filesystem::path path, State state) : path_(std::move(path)), state_(std::move(state)) {}

  const std::filesystem::path path_;  // empty: not on a disk
  mutable pkcs11::Mutex mutex_;
  State state_ KEYSTAY_GUARDED_BY(mutex_);
};

}  // namespace keystay::keys
