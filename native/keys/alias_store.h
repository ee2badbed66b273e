// The aliases of a token as far as a key store file shows them, and the rules by which both change together:
// what the tool and Java's key stores do alike.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "native/config/key_store_file.h"
#include "native/keys/key_store.h"

namespace keystay::keys {

// Where the key store file of an AliasStore is kept: on a disk, or by a program until it stores it.
class KeptFile {
 public:
  virtual ~KeptFile() = default;

  [[nodiscard]] virtual const config::KeyStoreFile& content() const = 0;
  // `file web.keystore`, for messages.
  [[nodiscard]] virtual std::string name() const = 0;
  // Lets `change` work on the newest content, and keeps what it is then.
  virtual void update(const std::function<void(config::KeyStoreFile&)>& change) = 0;
  // Throws Error if the file is yet to be made: then nothing says that an alias that exists may be changed.
  virtual void require_made() const = 0;
};

// Reads the token at each call. Throws pkcs11::Error, and what the file throws.
class AliasStore final {
 public:
  // Both must outlive it.
  AliasStore(KeyStore& keys, KeptFile& file);

  // Whether the file shows the alias.
  [[nodiscard]] bool is_listed(std::string_view alias) const;

  [[nodiscard]] std::vector<Entry> entries();
  // All of it that the file shows. Of what is unfinished also what has no name.
  [[nodiscard]] Listing list();

  // A key; nothing if there is none that the file shows.
  [[nodiscard]] std::optional<Entry> find(std::string_view alias);
  // The same; throws Error (client) that says what is there instead, or why it cannot be used.
  [[nodiscard]] Entry require_key(std::string_view alias);
  // A key or a trusted certificate that the name means for use. Likewise.
  [[nodiscard]] Named require(std::string_view alias);

  // The alias comes to be in one step, after `certify` has given the chain for its key; an empty one is none.
  // If anything fails, nothing remains. The list comes before the alias: a name of nothing in it harms
  // nobody, an alias that its own key store does not show is lost to whoever made it.
  using Certify = std::function<Chain(const Entry&)>;
  Entry generate(std::string_view alias, const KeyRequest& request, const Certify& certify);
  // Gives an unfinished key its alias: KeyStore::name.
  Entry name(const Entry& unfinished, std::string_view alias);
  void add_trusted(std::string_view alias, const Certificate& certificate);
  // Throws Error if the file is yet to be made.
  void replace_chain(const Entry& entry, const Chain& chain);
  void require_made() const { file_.require_made(); }
  void rename(std::string_view alias, std::string_view new_alias);
  // Destroys or forgets the key or certificate, as the file wants it, also one that cannot be used; ends a
  // deletion of this name that was interrupted. Throws Error (client) if there is nothing of this name.
  void remove(std::string_view alias);
  // Throws Error (client) if the file is one through which nothing is destroyed.
  void remove_unfinished(const std::vector<Unfinished>& shown);

  [[nodiscard]] KeyStore& keys() noexcept { return keys_; }
  [[nodiscard]] const Pkix& pkix() const noexcept { return keys_.pkix(); }

 private:
  [[nodiscard]] Named require_listed(std::string_view alias, std::optional<Named> found);
  // Runs `change`, which gives something on the token this name, with the name on the list.
  template <typename Change>
  auto with_listed(std::string_view alias, const Change& change);
  void add_to_list(std::string_view alias);
  void take_off_list(std::string_view alias);

  KeyStore& keys_;
  KeptFile& file_;
};

}  // namespace keystay::keys
