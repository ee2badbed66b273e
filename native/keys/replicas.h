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
  void name(const Entry& unfinished, std::string_view alias);
  void withdraw(const Entry& unfinished);
  void remove_unfinished(const std::vector<Unfinished>& shown);

  void require_unused(std::string_view alias);
  void require_unused(std::string_view alias, const Entry& own);
  void replace_chain(const Entry& entry, const Chain& chain);
  void add_certificate(std::string_view label, const Certificate& certificate);
  void rename(const Entry& entry, std::string_view alias);
  void destroy(const Entry& entry);
  bool destroy_leftovers(std::string_view alias);
  void destroy(const TrustedCertificate& trusted);

  void name(const SecretKey& unfinished, std::string_view alias);
  void withdraw(const SecretKey& unfinished);
  void require_unused(std::string_view alias, const SecretKey& own);
  void rename(const SecretKey& key, std::string_view alias);
  void destroy(const SecretKey& key);

 private:
  struct Store {
    std::string name;
    std::unique_ptr<KeyStore> keys;
  };
  // A key on one of them, as it is there.
  struct Place {
    const Store* store;
    Entry entry;
  };

  [[nodiscard]] std::vector<const Store*> all() const;
  struct SecretPlace {
    const Store* store;
    SecretKey key;
  };

  // Those that answer, and have the wrapping key if there is more than one; throws Error unless they are
  // enough.
  [[nodiscard]] std::vector<const Store*> ready_for_new_key() const;
  [[nodiscard]] std::vector<Place> places_of(const Entry& entry) const;
  [[nodiscard]] std::vector<SecretPlace> places_of(const SecretKey& key) const;
  void copy(const Store& from, const Store& to, const Entry& made, KeyUse use) const;
  void copy(const Store& from, const Store& to, const SecretKey& made, const SecretKeySpec& spec) const;
  void withdraw_quietly(const Entry& unfinished);
  void withdraw_quietly(const SecretKey& unfinished);
  // Destroys what was new a moment ago.
  void take_back(const Store& store, const auto& made, std::string_view alias) const;

  const Replication replication_;
  std::vector<Store> stores_;
};

}  // namespace keystay::keys
