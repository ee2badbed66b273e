#include "native/keys/rotation.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "native/keys/alias_name.h"
#include "native/keys/alias_state.h"
#include "native/keys/stored_object.h"
#include "native/keys/token_objects.h"
#include "native/keys/writing_turn.h"
#include "native/pkcs11/error.h"
#include "native/pkcs11/session.h"

namespace keystay::keys {
namespace {

using pkcs11::Error;
using pkcs11::ErrorClass;
using pkcs11::Session;

// What a rotation reads and writes of one key, all of it by its CKA_ID.
struct KeyParts {
  const KeyObject* private_key = nullptr;
  std::vector<std::pair<CK_OBJECT_HANDLE, std::string>>
      others;  // public key and certificates, with their labels
};

KeyParts parts_of(const TokenObjects& objects, const Entry& entry) {
  if (objects.private_keys.size() != 1) {
    throw Error(
        ErrorClass::client,
        (objects.private_keys.empty() ? "the private key of " : "several private keys have the CKA_ID of ") +
            quoted_alias(entry.alias) + (objects.private_keys.empty() ? " is not there any more" : ""));
  }
  KeyParts parts{&objects.private_keys.front(), {}};
  for (const KeyObject& half : objects.public_keys)
    if (half.public_key == entry.key.public_key()) parts.others.emplace_back(half.handle, half.label);
  if (parts.others.empty()) {
    throw Error(ErrorClass::client, "the key of " + quoted_alias(entry.alias) +
                                        " has no public key object with its CKA_ID, by which a key that was "
                                        "followed is told; store one");
  }
  for (const CertificateObject& object : objects.certificates)
    if (object.certificate.public_key == entry.key.public_key())
      parts.others.emplace_back(object.handle, object.label);
  return parts;
}

void relabel(Session& session, const KeyParts& parts, const std::string& label) {
  for (const auto& [handle, before] : parts.others)
    if (before != label) store_label(session, handle, label);
}

std::vector<Replica> replicas_of(KeyStore& keys) {
  const auto replication = keys.source().replication();
  return replication ? replication->replicas : std::vector<Replica>{};
}

// Runs `change` for each; throws what failed where, and where it is done.
template <typename Change>
void on_each(const std::vector<Replica>& replicas, const std::string& what, const Change& change) {
  std::string done;
  std::string failed;
  std::optional<ErrorClass> error_class;
  for (const Replica& replica : replicas) {
    try {
      change(*replica.source);
      done += (done.empty() ? "" : ", ") + replica.name;
    } catch (const Error& error) {
      if (!error_class) error_class = error.error_class();
      failed += (failed.empty() ? "" : "; ") + replica.name + ": " + error.what();
    }
  }
  if (!error_class) return;
  throw Error(*error_class, what +
                                (done.empty() ? " on no member: " : " on " + done + ", but not on others: ") +
                                failed + "; keystay group sync finishes it when all answer");
}

unsigned greatest_number(KeySource& source, std::string_view alias) {
  unsigned greatest = 0;
  source.with_session([&](Session& session) {
    source.require_login(session);
    for (const KeyObject& key : pkcs11::read_keys(session, objects_of(CKO_PRIVATE_KEY))) {
      const AliasVersion version = version_of(key.label);
      if (version.state == AliasState::kept && version.alias == alias)
        greatest = std::max(greatest, version.number);
    }
  });
  return greatest;
}

}  // namespace

std::optional<Entry> Rotation::next_of(std::string_view alias) {
  return keys_.find(next_label(alias), pkcs11::ByteView{});
}

void Rotation::require_followable(const Entry& current) {
  const AliasVersion version = version_of(current.name());
  if (version.state != AliasState::active) {
    throw Error(ErrorClass::client,
                quoted_alias(version.alias) + " is " + std::string(name_of(version.state)) +
                    ", and only an active alias is rotated; keystay activate makes it one");
  }
  if (current.shared_name || current.key.reference().id().empty() ||
      current.key.reference().label().empty()) {
    throw Error(ErrorClass::client, quoted_alias(current.alias) +
                                        " has no label or no CKA_ID of its own; give it one with pkcs11-tool "
                                        "--set-id or keystay -changealias");
  }
  if (next_of(current.alias)) {
    throw Error(ErrorClass::client,
                "the rotation of " + quoted_alias(current.alias) +
                    " has begun already, and waits for a certificate: keystay -importcert, or keystay retire "
                    "-which next");
  }
  keys_.source().with_session([&](Session& session) {
    static_cast<void>(parts_of(read_by_id(session, keys_.pkix(), current.key.reference().id()), current));
  });
}

Entry Rotation::begin(const Entry& current, const KeyRequest& request, const Certify& certify) {
  require_followable(current);
  const Entry unfinished = keys_.generate_unfinished(request);
  try {
    if (const Chain chain = certify(unfinished); !chain.empty()) keys_.replace_chain(unfinished, chain);
    return keys_.name(unfinished, next_label(current.alias));
  } catch (...) {
    try {
      keys_.withdraw(unfinished);
    } catch (const Error&) {  // the first error is what the user must hear; list() shows what remains
    }
    throw;
  }
}

unsigned Rotation::finish(const Entry& current, const Entry& next) {
  if (!next.leaf)
    throw Error(ErrorClass::client,
                "the key that is to follow " + quoted_alias(current.alias) + " has no certificate");
  const std::vector<Replica> replicas = replicas_of(keys_);
  if (replicas.empty()) {
    const unsigned number = greatest_number(keys_.source(), current.alias) + 1;
    switch_on(keys_.source(), current, next, number);
    return number;
  }
  unsigned number = 1;  // all of them answer before the first one is changed
  for (const Replica& replica : replicas)
    number = std::max(number, greatest_number(*replica.source, current.alias) + 1);
  on_each(replicas, quoted_alias(current.alias) + " has gone over to its new key",
          [&](KeySource& source) { switch_on(source, current, next, number); });
  return number;
}

void Rotation::finish_as(const Entry& current, const Entry& next, unsigned number) {
  switch_on(keys_.source(), current, next, number);
}

// The order of the writes decides. The old key's public key object gets its version's label first: a private
// key that shares its label with another one, and whose public key has such a label, gives way
// (name_holders.h). So the label of the new private key is the one write by which the alias becomes another
// key, and each state between is a whole one.
void Rotation::switch_on(KeySource& source, const Entry& current, const Entry& next, unsigned number) {
  const WritingTurn turn(source.info());
  source.with_rw_session([&](Session& session) {
    const TokenObjects old_objects = read_by_id(session, keys_.pkix(), current.key.reference().id());
    const TokenObjects new_objects = read_by_id(session, keys_.pkix(), next.key.reference().id());
    const KeyParts old_key = parts_of(old_objects, current);
    const KeyParts new_key = parts_of(new_objects, next);
    const std::string kept = kept_label(current.alias, number);
    const bool is_switched = new_key.private_key->label == current.alias;
    if (!is_switched && (old_key.private_key->label != current.alias ||
                         new_key.private_key->label != next.key.reference().label())) {
      throw Error(ErrorClass::client,
                  quoted_alias(current.alias) +
                      " was given another key or name at the same moment; look with keystay -list");
    }
    if (kept.size() > current.alias.size())
      require_room(session, old_key.others.size() + 1, kept.size() - current.alias.size());
    if (!is_switched) {
      relabel(session, old_key, kept);
      relabel(session, new_key, current.alias);
      store_label(session, new_key.private_key->handle, current.alias);
    }
    if (old_key.private_key->label == current.alias) store_label(session, old_key.private_key->handle, kept);
  });
}

}  // namespace keystay::keys
