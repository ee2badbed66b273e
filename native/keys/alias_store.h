// The aliases of a token as far as a key store file shows them, and the rules by which both change together:
// what the tool and Java's key stores do alike.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "native/keys/kept_file.h"
#include "native/keys/key_store.h"

namespace keystay::keys {

// Reads the token at each call. Thread-safe, except that of two changes at once the list may lose one. Throws
// pkcs11::Error, and config::Error for the file.
class AliasStore final {
 public:
  // Both must outlive it.
  AliasStore(KeyStore& keys, KeptFile& file);

  [[nodiscard]] std::vector<Entry> entries();
  // All of it that the file shows. Of what is unfinished also what has no name.
  [[nodiscard]] Listing list();

  // What the name means for use (KeyStore::resolve), if the file shows it.
  [[nodiscard]] std::optional<Named> resolve(std::string_view alias);
  // A key; nothing if there is none that the file shows.
  [[nodiscard]] std::optional<Entry> find(std::string_view alias);
  // The same; throws Error (client) that says what is there instead, or why it cannot be used.
  [[nodiscard]] Entry require_key(std::string_view alias);
  // A secret key, likewise.
  [[nodiscard]] SecretKey require_secret_key(std::string_view alias);
  // A key pair, a secret key or a trusted certificate that the name means for use. Likewise.
  [[nodiscard]] Named require(std::string_view alias);
  // A key that was read before, as it is now: it may have another alias. Throws Error (client) if it is gone.
  [[nodiscard]] Entry read_again(const pkcs11::KeyReference& key);

  // The alias comes to be in one step, after `certify` has given the chain for its key; an empty one is none.
  // If anything fails, nothing remains. The list comes before the alias: a name of nothing in it does no
  // harm, while an alias that is not in the list would be hidden from the program that made it.
  using Certify = std::function<Chain(const Entry&)>;
  Entry generate(std::string_view alias, const KeyRequest& request, const Certify& certify);
  // The same of a key that was made elsewhere, with its chain.
  Entry import_key(std::string_view alias, const SoftwareKey& key, const Chain& chain);
  // The same of secret keys.
  SecretKey generate(std::string_view alias, const SecretKeySpec& spec);
  SecretKey import_key(std::string_view alias, const SoftwareSecretKey& key);
  // Gives an unfinished key its alias: KeyStore::name.
  Entry name(const Entry& unfinished, std::string_view alias);
  void add_trusted(std::string_view alias, const Certificate& certificate);
  // What KeyStore.setCertificateEntry of the JCA asks for: the same, unless the alias is this certificate.
  void set_certificate(std::string_view alias, const Certificate& certificate);

  // All below change or destroy what there is, and throw config::Error if the file is not named: see
  // KeptFile.
  void require_named(std::string_view change) const { file_.require_named(change); }
  void replace_chain(const Entry& entry, const Chain& chain);
  void rename(std::string_view alias, std::string_view new_alias);
  // The alias of the key that rename() would rename; throws what it would throw before it changes anything.
  [[nodiscard]] std::string require_renamable(std::string_view alias, std::string_view new_alias);
  // What KeyStore.setKeyEntry of the JCA asks for: an unfinished key gets this alias (without a named file
  // too), a key that has it another chain, any other key the alias instead of its own. An empty chain, or the
  // one that the key has, is not stored again. Throws Error (client) if the alias is of something else.
  Entry set_key(std::string_view alias, const Entry& key, const Chain& chain);

  // Destroys or forgets the key or certificate, as the file wants it, also one that cannot be used; ends a
  // deletion of this name that was interrupted. A name that is nothing on the token comes off the list.
  // Throws Error (client) if there is nothing of this name.
  void remove(std::string_view alias);
  // The same of what a program has read before: the key, or with null none that can be used. False if there
  // is nothing of this name that the file shows. Throws Error (client) if it is not that.
  [[nodiscard]] bool remove_as_read(std::string_view alias, const pkcs11::KeyReference* key);
  // Throws Error (client) if the file is one through which nothing is destroyed.
  void remove_unfinished(const std::vector<Unfinished>& shown);

  [[nodiscard]] const KeptFile& file() const noexcept { return file_; }
  [[nodiscard]] KeyStore& keys() noexcept { return keys_; }
  [[nodiscard]] const Pkix& pkix() const noexcept { return keys_.pkix(); }

 private:
  [[nodiscard]] bool is_listed(std::string_view alias) const;
  [[nodiscard]] std::optional<Named> shown(std::optional<Named> found) const;
  [[nodiscard]] Named require_listed(std::string_view alias, std::optional<Named> found);
  // Runs `change`, which gives something on the token this name, with the name on the list.
  template <typename Change>
  auto with_listed(std::string_view alias, const Change& change);
  void add_to_list(std::string_view alias);
  bool take_off_list(std::string_view alias);

  Entry complete(std::string_view alias, const Entry& unfinished, const Certify& certify);
  void rename(const Entry& entry, std::string_view new_alias, const Chain& chain);
  Entry replace_other_chain(const Entry& entry, const Chain& chain);
  SecretKey complete(std::string_view alias, const SecretKey& unfinished);
  void rename(const SecretKey& key, std::string_view new_alias);
  [[nodiscard]] bool destroys() const;
  [[nodiscard]] bool forget(std::string_view alias);
  [[nodiscard]] bool destroy(std::string_view alias, const std::optional<Named>& named);

  KeyStore& keys_;
  KeptFile& file_;
};

}  // namespace keystay::keys
