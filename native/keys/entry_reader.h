// Entries from the objects of a token: all of them, or the one that a label and a CKA_ID name.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "native/keys/entry.h"
#include "native/keys/pkix.h"
#include "native/keys/token_objects.h"
#include "native/pkcs11/session.h"

namespace keystay::keys {

class EntryReader final {
 public:
  // `operations` use the keys that are read. `pkix` must outlive the reader.
  EntryReader(std::shared_ptr<pkcs11::KeyOperations> operations, const Pkix& pkix);

  // The aliases among these, which are all objects of the token, in the order of their names. Unfinished keys
  // are none.
  [[nodiscard]] std::vector<Entry> aliases(const TokenObjects& objects) const;
  // Every private key among these, unfinished ones too, in no order: for what they need.
  [[nodiscard]] std::vector<Entry> keys(const TokenObjects& objects) const;
  // The key that all given attributes match; an empty one means any. Throws Error (client) if two do, or if
  // its public half is not known.
  [[nodiscard]] std::optional<Entry> find(pkcs11::Session& session, std::string_view label,
                                          pkcs11::ByteView id, Parts parts) const;
  // The same; a key of which the public half is not known is a result too.
  using Key = std::variant<Entry, UnreadableObject>;
  [[nodiscard]] std::optional<Key> find_key(pkcs11::Session& session, std::string_view label,
                                            pkcs11::ByteView id, Parts parts) const;
  // The key of this CKA_ID, or label where it has none, and public key, whatever label it has by now. Throws
  // Error (client) if there are several, which have no label of their own either.
  [[nodiscard]] std::optional<Entry> find_again(pkcs11::Session& session,
                                                const pkcs11::KeyReference& reference) const;

 private:
  [[nodiscard]] Key joined(const KeyObject& key, const TokenObjects& objects) const;

  std::shared_ptr<pkcs11::KeyOperations> operations_;
  const Pkix& pkix_;
};

}  // namespace keystay::keys
