// The key stores of a source of several tokens, for changes: one command, carried out on each of them.
//
// Nothing begins before all of them have answered, so that they stay alike. What fails in the middle of it is
// named, with what was done already; a new key or certificate is taken back from those that have it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "native/keys/key_store.h"

namespace keystay::keys {

// What each function does on a token is what the function of KeyStore with its name does. Throws Error that
// names the replicas.
class Replicas final {
 public:
  Replicas(Replication replication, const Pkix& pkix);
  Replicas(const Replicas&) = delete;
  Replicas& operator=(const Replicas&) = delete;
  ~Replicas();

  // The new key is on all of them, or at least on `create_minimum`, under the unfinished label that is
  // returned. One token generates it; the others get it wrapped, and nothing can extract it when this
  // returns.
  [[nodiscard]] std::string generate(const KeyRequest& request);
  [[nodiscard]] std::string import(const SoftwareKey& key, KeyUse use);
  // Secret keys likewise.
  [[nodiscard]] std::string generate(const SecretKeySpec& spec);
  [[nodiscard]] std::string import(const SoftwareSecretKey& key);
  void remove_unfinished(const std::vector<Unfinished>& shown);

  // A key is an Entry or a SecretKey.
  template <typename Key>
  void name(const Key& unfinished, std::string_view alias);
  template <typename Key>
  void withdraw(const Key& unfinished);
  template <typename Key>
  void require_unused(std::string_view alias, const Key& own);
  template <typename Key>
  void rename(const Key& key, std::string_view alias);
  template <typename Key>
  void destroy(const Key& key);

  void require_unused(std::string_view alias);
  void replace_chain(const Entry& entry, const Chain& chain);
  void add_certificate(std::string_view label, const Certificate& certificate);
  bool destroy_leftovers(std::string_view alias);
  void destroy(const TrustedCertificate& trusted);

 private:
  struct Store {
    std::string name;
    std::unique_ptr<KeyStore> keys;
  };
  // A key on one of them, as it is there.
  template <typename Key>
  struct Place {
    const Store* store;
    Key key;
  };

  [[nodiscard]] std::vector<const Store*> all() const;
  // Those that answer, and have the wrapping key if there is more than one; throws Error unless they are
  // enough.
  [[nodiscard]] std::vector<const Store*> ready_for_new_key() const;
  template <typename Key>
  [[nodiscard]] std::vector<Place<Key>> places_of(const Key& key) const;
  template <typename Key, typename Unwrap>
  void copy(const Store& from, const Store& to, const Key& made, const Unwrap& unwrap) const;
  template <typename Key, typename Unwrap>
  [[nodiscard]] std::string share(const std::vector<const Store*>& ready, const Key& made,
                                  const Unwrap& unwrap);
  template <typename Key, typename ImportTo>
  [[nodiscard]] std::string bring(const Key& made, const ImportTo& import_to);
  template <typename Key>
  void withdraw_quietly(const Key& unfinished);
  // Destroys what was new a moment ago.
  void take_back(const Store& store, const auto& made, std::string_view alias) const;

  const Replication replication_;
  std::vector<Store> stores_;
};

}  // namespace keystay::keys
