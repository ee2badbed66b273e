#include "native/keys/wrapping.h"

#include <array>
#include <utility>

#include "native/keys/key_source.h"
#include "native/keys/stored_object.h"
#include "native/keys/token_objects.h"
#include "native/keys/unfinished_label.h"
#include "native/keys/writing_turn.h"
#include "native/pkcs11/error.h"
#include "native/pkcs11/mechanism.h"
#include "native/pkcs11/session.h"

namespace keystay::keys {
namespace {

using pkcs11::Bytes;
using pkcs11::Error;
using pkcs11::ErrorClass;
using pkcs11::Session;
using pkcs11::Template;

constexpr CK_MECHANISM_TYPE kAesKeyWrapKwp = 0x210B;  // PKCS #11 v3.0; p11-kit's header of Debian 12 lacks it
constexpr std::array<CK_MECHANISM_TYPE, 2> kUsualMechanisms = {kAesKeyWrapKwp, CKM_AES_KEY_WRAP_PAD};

constexpr CK_ULONG kKeySize = 32;          // bytes, AES-256
constexpr CK_ULONG kTransportBits = 3072;  // of the RSA key under which it travels
constexpr std::array<std::uint8_t, 3> kF4 = {0x01, 0x00, 0x01};

// Some tokens have RSAES-OAEP with SHA-1 alone; neither its strength nor its proof depends on collisions.
constexpr std::array kTransportHashes = {pkcs11::Hash::sha256, pkcs11::Hash::sha1};

Template secret_keys(std::string_view label) {
  Template search = objects_of(CKO_SECRET_KEY);
  search.text(CKA_LABEL, label);
  return search;
}

void destroy_secret_keys(Session& session, std::string_view label) {
  for (const CK_OBJECT_HANDLE key : session.find_token_objects(secret_keys(label)))
    destroy_if_there(session, key);
}

// It wraps and unwraps, and nothing else: one that also decrypted would show what it has wrapped by a single
// call. Who has the PIN can still unwrap a wrapped key as one that is readable (docs/design/groups.md).
Template wrapping_key(bool on_token, bool extractable) {
  Template key;
  key.flag(CKA_TOKEN, on_token)
      .flag(CKA_PRIVATE, true)
      .flag(CKA_SENSITIVE, true)
      .flag(CKA_EXTRACTABLE, extractable)
      .flag(CKA_WRAP, true)
      .flag(CKA_UNWRAP, true)
      .flag(CKA_ENCRYPT, false)
      .flag(CKA_DECRYPT, false);
  return key;
}

// An RSA key pair of a session: it goes with it.
Session::KeyPair make_transport_pair(Session& session) {
  Template public_key;
  public_key.flag(CKA_TOKEN, false)
      .flag(CKA_WRAP, true)
      .flag(CKA_ENCRYPT, false)
      .flag(CKA_VERIFY, false)
      .number(CKA_MODULUS_BITS, kTransportBits)
      .bytes(CKA_PUBLIC_EXPONENT, kF4);
  Template private_key;
  private_key.flag(CKA_TOKEN, false)
      .flag(CKA_PRIVATE, true)
      .flag(CKA_SENSITIVE, true)
      .flag(CKA_EXTRACTABLE, false)
      .flag(CKA_UNWRAP, true)
      .flag(CKA_DECRYPT, false)
      .flag(CKA_SIGN, false);
  return session.generate_key_pair(CKM_RSA_PKCS_KEY_PAIR_GEN, std::move(public_key), std::move(private_key));
}

// The public half of such a pair, brought to a session of another token.
CK_OBJECT_HANDLE bring_public_key(Session& from, CK_OBJECT_HANDLE key, Session& to) {
  constexpr CK_ATTRIBUTE_TYPE kHalf[] = {CKA_MODULUS, CKA_PUBLIC_EXPONENT};
  const pkcs11::Attributes half = from.attributes(key, kHalf);
  Template object;
  object.number(CKA_CLASS, CKO_PUBLIC_KEY)
      .number(CKA_KEY_TYPE, CKK_RSA)
      .flag(CKA_TOKEN, false)
      .flag(CKA_PRIVATE, false)
      .flag(CKA_WRAP, true)
      .bytes(CKA_MODULUS, half.bytes(CKA_MODULUS))
      .bytes(CKA_PUBLIC_EXPONENT, half.bytes(CKA_PUBLIC_EXPONENT));
  return to.create_object(std::move(object));
}

// The new key: at home in a session of the token that has made it.
class NewWrappingKey final {
 public:
  NewWrappingKey(Session& home, std::string_view unfinished) : home_(home), unfinished_(unfinished) {
    Template key = wrapping_key(false, true);
    key.number(CKA_VALUE_LEN, kKeySize);
    key_ = home_.generate_key(CKM_AES_KEY_GEN, std::move(key));
  }
  NewWrappingKey(const NewWrappingKey&) = delete;
  NewWrappingKey& operator=(const NewWrappingKey&) = delete;
  ~NewWrappingKey() {
    try {
      home_.destroy_object(key_);
    } catch (const Error&) {  // it goes with its session
    }
  }

  // Stores it on the session's token, under the unfinished label.
  void bring_to(Session& session) const {
    destroy_secret_keys(session, unfinished_);  // of an earlier try
    const Session::KeyPair pair = make_transport_pair(session);
    const CK_OBJECT_HANDLE public_key = bring_public_key(session, pair.public_key, home_);
    for (const pkcs11::Hash hash : kTransportHashes) {
      try {
        store(session, pair.private_key, public_key, hash);
        break;
      } catch (const Error& error) {
        if (error.error_class() != ErrorClass::client || hash == kTransportHashes.back()) throw;
      }
    }
    home_.destroy_object(public_key);
    session.destroy_object(pair.private_key);
    session.destroy_object(pair.public_key);
  }

 private:
  void store(Session& session, CK_OBJECT_HANDLE private_key, CK_OBJECT_HANDLE public_key,
             pkcs11::Hash hash) const {
    const pkcs11::Decrypt oaep{pkcs11::RsaOaep{hash, hash, {}}};
    pkcs11::MechanismParameters parameters(oaep);
    const Bytes wrapped = home_.wrap_key(*parameters.get(), public_key, key_);
    Template key = wrapping_key(true, false);
    key.number(CKA_CLASS, CKO_SECRET_KEY).number(CKA_KEY_TYPE, CKK_AES).text(CKA_LABEL, unfinished_);
    const CK_OBJECT_HANDLE stored =
        session.unwrap_key(*parameters.get(), private_key, wrapped, std::move(key));
    require_stored(session, stored, secret_keys(unfinished_), "C_UnwrapKey");
  }

  Session& home_;
  const std::string unfinished_;
  CK_OBJECT_HANDLE key_ = CK_INVALID_HANDLE;
};

// Runs `body` for each replica, and names the one where it fails.
template <typename Body>
void for_each(const std::vector<Replica>& replicas, const Body& body) {
  for (const Replica& replica : replicas) {
    try {
      body(replica);
    } catch (const Error& error) {
      throw error.on(replica.name);
    }
  }
}

void withdraw(const std::vector<Replica>& replicas, std::string_view unfinished) {
  for (const Replica& replica : replicas) {
    try {
      replica.source->with_rw_session([&](Session& session) { destroy_secret_keys(session, unfinished); });
    } catch (const Error&) {  // the first error is what the caller must hear
    }
  }
}

void distribute(const std::vector<Replica>& replicas, std::string_view unfinished) {
  replicas.front().source->with_rw_session([&](Session& home) {
    const NewWrappingKey key(home, unfinished);
    for_each(replicas, [&](const Replica& replica) {
      if (&replica == &replicas.front()) return key.bring_to(home);
      replica.source->with_rw_session([&](Session& session) { key.bring_to(session); });
    });
  });
}

// Keys that an interrupted exchange has left go too.
void put_in_place(Session& session, std::string_view unfinished, std::string_view label) {
  const auto fresh = session.find_token_objects(secret_keys(unfinished));
  if (fresh.empty()) return;  // an earlier try has done it
  constexpr CK_ATTRIBUTE_TYPE kLabel[] = {CKA_LABEL};
  for (const CK_OBJECT_HANDLE key : session.find_token_objects(objects_of(CKO_SECRET_KEY))) {
    const std::string other = session.attributes(key, kLabel).text(CKA_LABEL);
    if (other == label || (is_unfinished_label(other) && other != unfinished)) destroy_if_there(session, key);
  }
  store_label(session, fresh.front(), label);
}

}  // namespace

std::span<const CK_MECHANISM_TYPE> usual_wrapping_mechanisms() noexcept { return kUsualMechanisms; }

WrappingKeyState wrapping_key_state(KeySource& source, std::string_view label) {
  WrappingKeyState state;
  source.with_session([&](Session& session) {
    source.require_login(session);
    const auto keys = session.find_token_objects(secret_keys(label));
    state.keys = keys.size();
    if (keys.empty()) return;
    constexpr CK_ATTRIBUTE_TYPE kCheckValue[] = {CKA_CHECK_VALUE};
    state.check_value = session.attributes(keys.front(), kCheckValue).bytes(CKA_CHECK_VALUE);
  });
  return state;
}

void share_wrapping_key(const std::vector<Replica>& replicas, std::string_view label) {
  const WritingTurn turn(replicas.front().source->info());  // one exchange at a time
  const std::string unfinished = unfinished_label();
  try {
    distribute(replicas, unfinished);
  } catch (const Error&) {
    withdraw(replicas, unfinished);
    throw;
  }
  for_each(replicas, [&](const Replica& replica) {
    try {
      replica.source->with_rw_session([&](Session& session) { put_in_place(session, unfinished, label); });
    } catch (const Error& error) {
      throw Error(
          error.error_class(),
          std::string(error.what()) + "; the replicas do not all have the new wrapping key: repeat this");
    }
  });
}

}  // namespace keystay::keys
