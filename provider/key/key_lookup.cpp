#include "provider/key/key_lookup.h"

#include <utility>

#include <openssl/core_dispatch.h>

#include "native/keys/public_objects.h"
#include "native/pkcs11/text.h"
#include "native/x509/error.h"
#include "native/x509/error_mark.h"
#include "native/x509/pem_reference.h"
#include "native/x509/public_key.h"
#include "provider/async/outside_of_jobs.h"
#include "provider/key/possession.h"
#include "provider/store/token_search.h"

namespace keystay::provider {
namespace {

constexpr Wanted kPrivateKey{.private_key = true, .public_key = false, .certificates = false};
constexpr Wanted kPublicKey{.private_key = false, .public_key = true, .certificates = false};

// The first signature may be in a forked worker without a terminal: a PIN that is typed is asked for now.
void ask_ahead(Context& context, const keys::KeySource& source) {
  if (source.pin_supply() == keys::PinSupply::prompt) context.pin_dialogue().ask_ahead(source.pin_label());
}

void require_key(const pkcs11::Uri& uri) {
  if (uri.type && *uri.type != CKO_PRIVATE_KEY && *uri.type != CKO_PUBLIC_KEY) {
    throw Error(Reason::reference,
                "the key reference says type=" + std::string(pkcs11::type_in_uri(*uri.type)) +
                    ", which is no key; write it with type=private or type=public");
  }
}

[[noreturn]] void refuse_statement(const pkcs11::Uri& uri, const std::exception& why) {
  throw Error(Reason::reference, "keystay-spki of the key reference to \"" + uri.object +
                                     "\": " + why.what() + "; write the file again with: keystay -exportref");
}

// Runs `body` with the SubjectPublicKeyInfo that the reference states.
template <typename Body>
auto with_stated_spki(const pkcs11::Uri& uri, const Body& body) {
  try {
    return body(x509::spki_in_attribute(uri.spki));
  } catch (const x509::Error& error) {
    refuse_statement(uri, error);
  }
}

// The key itself, and what it is presented as.
struct Statement {
  pkcs11::PublicKey key;
  PublicHalf half;
};

Statement statement(Context& context, const pkcs11::Uri& uri) {
  return with_stated_spki(uri, [&](const pkcs11::Bytes& spki) {
    return Statement{x509::from_spki(spki), public_half_of(spki, context.software())};
  });
}

KeyPtr key_as_stated(Context& context, const pkcs11::Uri& uri) {
  Statement stated = statement(context, uri);
  // Where several tokens may have it, they are searched now.
  const bool is_clear = context.tokens().candidates(uri).empty();
  const auto source = is_clear ? context.tokens().source(uri)
                               : outside_of_jobs([&] { return source_of(context, uri, kPrivateKey); });
  ask_ahead(context, *source);
  keys::PrivateKey private_key(source->operations(),
                               {uri.id, uri.object, stated.half.type.token_type, std::move(stated.key)});
  return KeyPtr(new Key(context, std::move(private_key), std::move(stated.half), context.signers(*source)));
}

// Asks for a PIN only if nothing shows without a login.
keys::PublicObjects read_public_keys(keys::KeySource& source, const keys::Pkix& pkix,
                                     const pkcs11::Uri& uri) {
  if (source.pin_supply() == keys::PinSupply::prompt) {
    const auto asking_nobody = source.without_login();
    keys::PublicObjects shown = keys::read_public_objects(*asking_nobody, pkix, uri.object, uri.id);
    if (!shown.public_keys.empty()) return shown;
  }
  return keys::read_public_objects(source, pkix, uri.object, uri.id);
}

// A key pair need not be there.
KeyPtr only_public_key(Context& context, keys::KeySource& source, const keys::Pkix& pkix,
                       const pkcs11::Uri& uri) {
  const keys::PublicObjects objects = read_public_keys(source, pkix, uri);
  const auto& found = objects.public_keys;
  if (found.size() == 1) return public_key(context, public_half_of(found.front(), context.software()));
  if (found.empty() && !objects.fault.empty())
    throw Error(Reason::reference, "the public key object" + named_by(uri.object, uri.id) + " of " +
                                       source.name() + " cannot be used: " + objects.fault);
  throw Error(Reason::key_not_found,
              source.name() + (found.empty() ? " has no public key" : " has several public keys") +
                  named_by(uri.object, uri.id) +
                  (found.empty() ? "; correct the key reference" : "; name one by its id"));
}

KeyPtr find_key(Context& context, const pkcs11::Uri& uri) {
  const bool is_public = uri.type == CKO_PUBLIC_KEY;
  const auto source = source_of(context, uri, is_public ? kPublicKey : kPrivateKey);
  const x509::OpenSslPkix pkix(context.software().libctx());
  if (is_public) return only_public_key(context, *source, pkix, uri);
  const auto entry =
      keys::KeyStore(source, pkix, keys::View::as_shown).find(uri.object, uri.id, keys::Parts::key);
  if (!entry) {
    throw Error(Reason::key_not_found, source->name() + " has no private key" + named_by(uri.object, uri.id) +
                                           "; " + how_to_find_keys(*source));
  }
  KeyPtr key = key_on_token(context, *source, *entry);
  require_possession(*key, *entry);
  return key;
}

}  // namespace

KeyPtr public_key(Context& context, PublicHalf half) {
  return KeyPtr(new Key(context, half.type, std::move(half.key),
                        half.type.required & ~OSSL_KEYMGMT_SELECT_PRIVATE_KEY));
}

const KeyType* stated_type(const pkcs11::Uri& uri) {
  if (uri.spki.empty()) return nullptr;
  return with_stated_spki(uri, [](const pkcs11::Bytes& spki) { return &key_type_of(spki); });
}

KeyPtr key_of_reference(Context& context, const pkcs11::Uri& uri) {
  const x509::ErrorMark errors_of_the_module;
  require_key(uri);
  const bool is_public = uri.type == CKO_PUBLIC_KEY;
  if (!uri.spki.empty()) {
    return is_public ? public_key(context, statement(context, uri).half) : key_as_stated(context, uri);
  }
  return outside_of_jobs([&] { return find_key(context, uri); });
}

std::string named_by(const std::string& label, pkcs11::ByteView id) {
  const std::string of_id = id.empty() ? "" : "CKA_ID " + pkcs11::hex(id);
  if (!of_id.empty() && !label.empty()) return " with both " + of_id + " and CKA_LABEL \"" + label + "\"";
  if (!of_id.empty()) return " with " + of_id;
  return label.empty() ? "" : " \"" + label + "\"";
}

std::string how_to_find_keys(const keys::KeySource& source) {
  return source.pin_supply() != keys::PinSupply::none
             ? "see what it has with: keystay -list"
             : "it is used without a login, as no `pin` is configured, and many tokens show "
               "private keys only after one";
}

KeyPtr key_on_token(Context& context, const keys::KeySource& source, const keys::Entry& entry) {
  return KeyPtr(
      new Key(context, entry.key, public_half_of(entry, context.software()), context.signers(source)));
}

}  // namespace keystay::provider
