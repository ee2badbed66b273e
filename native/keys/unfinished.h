// What commands have left on a token that did not come to their end: killed, or cut off from the token. None
// of it is an alias or a trusted certificate. It stays until somebody removes it who knows that nobody is
// still at it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "native/keys/entry.h"
#include "native/keys/token_objects.h"
#include "native/pkcs11/session.h"

namespace keystay::keys {

enum class Leftover {
  unnamed,      // has an unfinished label, and is no part of an alias: a key or certificate in the making
  claim,        // a private key beside an alias of the same name, to which it lost: see naming.h
  public_half,  // of a key pair that this token made (CKA_LOCAL) and whose private key is gone
  leaf,         // a certificate of such a public key, under the same name or id
  issuer,       // came with a chain, and is in that of no alias
  label,        // belongs to an alias, and only its label is unfinished
  superseded,  // of an alias that has another one by now: the leaf that an importcert was about to delete, or
               // the public key object that a key without CKA_ID had under another name
};

struct Unfinished {
  Leftover leftover;
  CK_OBJECT_CLASS object_class;
  std::string label;
  pkcs11::Bytes id;
  std::string alias;        // for label and superseded: whose it is
  CK_OBJECT_HANDLE handle;  // valid only in the session callback that read it
  std::optional<pkcs11::PublicKey>
      public_key{};  // that it states or certifies, which joins what is of one key

  [[nodiscard]] bool is_same(const Unfinished& other) const {
    return object_class == other.object_class && label == other.label && id == other.id;
  }
};

// Of all objects of the token, `entries` being its aliases; issuers are left to unneeded_issuers(). One read
// more for each public key without a private one, which tells where it was made.
[[nodiscard]] std::vector<Unfinished> find_unfinished(pkcs11::Session& session, const TokenObjects& objects,
                                                      const std::vector<Entry>& entries);

// In the order in which they are to be removed, so that this can be interrupted: a public key tells what its
// certificates are, and goes last.
void order_for_removal(std::vector<Unfinished>& unfinished);

// Removes it; an unfinished label is replaced by the alias instead. What somebody else removed meanwhile is
// gone as well.
void remove(pkcs11::Session& session, const Unfinished& unfinished);

// What an interrupted deletion of this alias has left, in the order in which it is to be removed: the public
// key last, so that this can be repeated in turn.
[[nodiscard]] std::vector<Unfinished> leftovers_of(std::string_view alias,
                                                   const std::vector<Unfinished>& unfinished);

// Takes away the certificates that are unfinished; those of aliases stay, whatever their label.
void drop_leftovers(std::vector<CertificateObject>& certificates, const std::vector<Unfinished>& unfinished);

}  // namespace keystay::keys
