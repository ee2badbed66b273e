#include "native/keys/kept_file.h"

#include <utility>

#include "native/config/error.h"

namespace keystay::keys {
namespace {

// In messages: keytool and servers hand over a stream, not a path.
constexpr std::string_view kLoaded = "key store";

config::KeyStoreFile all_of(std::string token) {
  config::KeyStoreFile content;
  content.token = std::move(token);
  return content;
}

}  // namespace

KeptFile KeptFile::of_token(std::string token) { return {{}, {all_of(std::move(token))}}; }

KeptFile KeptFile::of_unnamed_token(std::string token, std::string refusal) {
  return {{}, {all_of(std::move(token)), std::nullopt, std::move(refusal)}};
}

KeptFile KeptFile::on_disk(std::filesystem::path path) {
  config::KeyStoreFile content = config::read_key_store(path);
  return {std::move(path), {std::move(content)}};
}

KeptFile KeptFile::to_be_made(std::filesystem::path path, std::string token, std::string refusal,
                              std::function<void()> made) {
  return {std::move(path), {all_of(std::move(token)), std::nullopt, std::move(refusal), std::move(made)}};
}

KeptFile KeptFile::in_memory(std::string text) {
  config::KeyStoreFile content = config::parse_key_store(text, kLoaded);
  return {{}, {std::move(content), std::move(text)}};
}

config::KeyStoreFile KeptFile::content() const {
  const pkcs11::MutexLock lock(mutex_);
  return state_.content;
}

std::string KeptFile::text() const {
  const pkcs11::MutexLock lock(mutex_);
  return state_.text ? *state_.text : config::format_key_store(state_.content);
}

std::string KeptFile::name() const {
  return path_.empty() ? "key store file that was loaded" : "key store file " + path_.string();
}

void KeptFile::update(const std::function<void(config::KeyStoreFile&)>& change) {
  const pkcs11::MutexLock lock(mutex_);
  config::KeyStoreFile content = state_.content;
  if (path_.empty()) {
    change(content);
    if (content == state_.content) return;
    state_.text.reset();
  } else {
    config::update_key_store(path_, state_.content, [&](config::KeyStoreFile& newest) {
      change(newest);
      content = newest;
    });
  }
  state_.content = std::move(content);
  if (!state_.made) return;
  state_.refusal.clear();
  std::exchange(state_.made, {})();
}

bool KeptFile::is_named() const {
  const pkcs11::MutexLock lock(mutex_);
  return state_.refusal.empty();
}

void KeptFile::require_named(std::string_view change) const {
  const pkcs11::MutexLock lock(mutex_);
  if (!state_.refusal.empty()) throw config::Error("cannot " + std::string(change) + ": " + state_.refusal);
}

}  // namespace keystay::keys
