// The alias model: one private key, its leaf certificate and its chain, or one secret key, stored so that
// other PKCS #11 tools see them too. The rules are in docs/design/alias-model.md.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "native/keys/alias_lookup.h"
#include "native/keys/certificate.h"
#include "native/keys/entry.h"
#include "native/keys/key_source.h"
#include "native/keys/key_spec.h"
#include "native/keys/listing.h"
#include "native/keys/pkix.h"

namespace keystay::keys {

class EntryReader;
class Replicas;
struct UnfinishedObject;
struct CertificateObject;

// What cannot be seen is not absent: a token that wants a login shows no private keys without one.
enum class View {
  whole,     // nothing is concluded from a view without login: Error (authentication)
  as_shown,  // whatever the token shows, for those who take what they find and conclude nothing from the rest
};

// Reads the token at each call and keeps nothing. Thread-safe. Throws pkcs11::Error that names the token.
//
// What changes something changes each token of a source that has several (replicas.h), except for what cannot
// be used or read: that is destroyed on the token that has it.
class KeyStore final {
 public:
  // `pkix` must outlive the key store.
  KeyStore(std::shared_ptr<KeySource> source, const Pkix& pkix, View view = View::whole);
  KeyStore(const KeyStore&) = delete;
  KeyStore& operator=(const KeyStore&) = delete;
  ~KeyStore();

  // All aliases of the token, in the order of their names: three searches, one batched read per object. Keys
  // of which neither the token nor a certificate shows the public half are left out.
  [[nodiscard]] std::vector<Entry> entries();
  // The same with their chains, the certificates that were imported under names of their own, the secret
  // keys, and what interrupted commands left: one search more, and nothing is read twice.
  [[nodiscard]] Listing list();
  // What resolve() finds, if it is a key. Throws Error if two match, or if it cannot be used.
  [[nodiscard]] std::optional<Entry> find(std::string_view alias, Parts parts = Parts::key_and_leaf);
  // A key that was read before, by what it is: it may have another label by now.
  [[nodiscard]] std::optional<Entry> find_again(const pkcs11::KeyReference& key);
  // The key that all given attributes (CKA_LABEL, CKA_ID; empty means any) match. Throws Error if two keys
  // do.
  [[nodiscard]] std::optional<Entry> find(std::string_view label, pkcs11::ByteView id,
                                          Parts parts = Parts::key_and_leaf);

  // What look_up() finds by this name: a key, a trusted certificate, a secret key, or what cannot be used or
  // read. Throws Error if that is more than one. A label of a key, written exactly, reads only the objects of
  // that key.
  [[nodiscard]] std::optional<Named> resolve(std::string_view alias, Parts parts = Parts::key_and_leaf);
  // The same for a command that changes or destroys: Purpose::change.
  [[nodiscard]] std::optional<Named> resolve_to_change(std::string_view alias);
  // Throws Error (client) if the name may not be an alias, or is one already, in whatever letter case.
  void require_unused(std::string_view alias);
  // The same of a name that `own` is to get instead of the one that it has.
  void require_unused(std::string_view alias, const Entry& own);

  // The certificate of the entry and its issuers as far as the token has them, each checked by its signature.
  // Ends with the self-signed root if the token has it. Empty for an entry without a certificate.
  [[nodiscard]] Chain chain(const Entry& entry);
  // The same of a leaf and of issuers that the token need not have yet.
  [[nodiscard]] Chain chain(const Certificate& leaf, const std::vector<Certificate>& others);

  // Generates a key pair on the token, not extractable. Throws Error if the alias exists, or the CKA_ID that
  // is asked for.
  Entry generate(std::string_view alias, const KeyRequest& request);
  // Brings a key pair to the token that was made elsewhere; from here on it is not extractable. Throws Error
  // if the alias exists, or the key under another one.
  Entry import_key(std::string_view alias, const SoftwareKey& key, KeyUse use = KeyUse::sign);

  // The same in steps, for those who have more to do before the alias is complete: the key pair has an
  // unfinished label, by which `entries` and `list` leave it out, until `name` gives it its alias or
  // `withdraw` destroys it. A program that is killed in between leaves it to `remove_unfinished`.
  Entry generate_unfinished(const KeyRequest& request);
  Entry import_unfinished(const SoftwareKey& key, KeyUse use = KeyUse::sign) {
    return import_unfinished(key, use, {});
  }
  // Under this unfinished label, which another token has it under.
  Entry import_unfinished(const SoftwareKey& key, KeyUse use, std::string_view label);
  // With its certificates. Throws Error, and leaves them unfinished, if another key has the name.
  Entry name(const Entry& unfinished, std::string_view alias);
  void withdraw(const Entry& unfinished);
  // Removes what list() showed as unfinished, as far as it still is.
  void remove_unfinished(const std::vector<Unfinished>& shown);

  // Stores the chain (leaf first) and reads it back before the old leaf is deleted. Throws Error if the
  // leaf's public key is not the entry's, and changes nothing then.
  void replace_chain(const Entry& entry, const Chain& chain);
  // Stores a certificate that belongs to no key, as a trust anchor for chains. One that is an issuer in a
  // chain gets the name; one that has a name already gets another. Throws Error if it is the certificate of a
  // key.
  void add_certificate(std::string_view label, const Certificate& certificate);
  // Gives the alias another name: key pair and leaf. Throws Error if that name exists.
  void rename(const Entry& entry, std::string_view alias);
  // Destroys the key pair and its leaf, and the issuer certificates that replace_chain stored and no alias
  // needs now. A leaf that another alias's chain needs becomes an issuer's certificate. Throws Error (client)
  // if the key has another name by now.
  void destroy(const Entry& entry);
  // Destroys what an interrupted destroy() of this alias left; false if there is nothing.
  bool destroy_leftovers(std::string_view alias);
  // Destroys the trusted certificate, and no other object of its label; likewise.
  void destroy(const TrustedCertificate& trusted);
  // Destroys a key or certificate that cannot be used, and no other object. Throws Error (client) unless it
  // is the only one of its class with this label and CKA_ID, and still as it was read.
  void destroy(const UnreadableObject& object);

  // Secret keys likewise: see the functions of the same names above. They have no certificate, and of two
  // with one value no token tells.
  SecretKey generate_unfinished(const SecretKeySpec& spec) {
    return generate_unfinished(spec, Extraction::never);
  }
  SecretKey generate_unfinished(const SecretKeySpec& spec, Extraction extraction);
  SecretKey import_unfinished(const SoftwareSecretKey& key) { return import_unfinished(key, {}, {}); }
  // Under this unfinished label and CKA_ID, which another token has it under; empty: new ones.
  SecretKey import_unfinished(const SoftwareSecretKey& key, std::string_view label, pkcs11::ByteView id);
  SecretKey name(const SecretKey& unfinished, std::string_view alias);
  void withdraw(const SecretKey& unfinished);
  [[nodiscard]] std::optional<SecretKey> find_again(const SecretKey& key);
  // Throws Error (client) if the name may not be an alias, or is another one's already.
  void require_unused(std::string_view alias, const SecretKey& own);
  void rename(const SecretKey& key, std::string_view alias);
  void destroy(const SecretKey& key);

  [[nodiscard]] const Pkix& pkix() const noexcept { return pkix_; }
  [[nodiscard]] KeySource& source() noexcept { return *source_; }

 private:
  [[nodiscard]] std::optional<Named> look_up(std::string_view alias, Purpose purpose);
  void require_view(pkcs11::Session& session);
  [[nodiscard]] std::vector<Entry> entries_without(pkcs11::Session& session,
                                                   const std::vector<CertificateObject>& gone);
  // KeySource::with_rw_session in this process's turn: see writing_turn.h.
  void write(const std::function<void(pkcs11::Session&)>& body);
  struct ReadListing;
  [[nodiscard]] ReadListing read_listing(pkcs11::Session& session);
  [[nodiscard]] std::vector<UnfinishedObject> unfinished_objects(pkcs11::Session& session);
  void name_on_token(const Entry& unfinished, std::string_view alias);
  Entry name_or_withdraw(const Entry& unfinished, std::string_view alias);
  void forget_unneeded_issuers(pkcs11::Session& session);
  Entry make(const std::string& label,
             const std::function<void(pkcs11::Session&, std::string_view label)>& make_pair);
  [[nodiscard]] Entry find_made(const std::string& label);
  [[nodiscard]] SecretKey find_made_secret(const std::string& label);
  [[nodiscard]] std::optional<SecretKey> find_secret(std::string_view label);
  void require_new(pkcs11::Session& session, const pkcs11::PublicKey& key);
  void require_new_id(pkcs11::Session& session, pkcs11::ByteView id);

  std::shared_ptr<KeySource> source_;
  const Pkix& pkix_;
  View view_;
  std::unique_ptr<const EntryReader> reader_;
  std::unique_ptr<Replicas> replicas_;  // of a source of several tokens
};

}  // namespace keystay::keys
