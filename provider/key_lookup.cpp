#include "provider/key_lookup.h"

#include <utility>

#include "native/x509/error.h"
#include "native/x509/error_mark.h"
#include "native/x509/pem_reference.h"

namespace keystay::provider {
namespace {

// The first signature, perhaps in a forked worker, can ask nobody: a PIN that is typed is asked for now.
void ask_ahead(Context& context, const pkcs11::Token& token) {
  const pkcs11::TokenOptions& options = token.options();
  if (context.tokens().prompts_for(token)) {
    context.pin_dialogue().ask_ahead(options.label.empty() ? options.name : options.label);
  }
}

void require_private_key(const pkcs11::Uri& uri) {
  if (uri.type && *uri.type != CKO_PRIVATE_KEY) {
    throw Error(Reason::reference, "the key reference names no private key; write it with type=private");
  }
}

pkcs11::PublicKey stated_public_key(const pkcs11::Uri& uri) {
  try {
    return x509::decode_spki_attribute(uri.spki);
  } catch (const x509::Error& error) {
    throw Error(Reason::reference, "keystay-spki of the key reference to \"" + uri.object + "\": " +
                                       error.what() + "; write the file again with: keystay -exportref");
  }
}

}  // namespace

const KeyType* stated_type(const pkcs11::Uri& uri) {
  return uri.spki.empty() ? nullptr : find_key_type(stated_public_key(uri));
}

KeyPtr key_of_reference(Context& context, const pkcs11::Uri& uri, const KeyType& type) {
  const x509::ErrorMark errors_of_the_module;
  require_private_key(uri);
  if (!uri.spki.empty()) {
    pkcs11::PublicKey public_key = stated_public_key(uri);
    if (find_key_type(public_key) != &type) return {};
    auto token = context.tokens().token(uri);
    ask_ahead(context, *token);
    pkcs11::KeyReference reference(uri.id, uri.object, type.token_type, std::move(public_key));
    return key_on_token(context, *token, keys::PrivateKey(token, std::move(reference)));
  }
  auto token = context.tokens().token(uri);
  const x509::OpenSslPkix pkix(context.software().libctx());
  auto entry = keys::KeyStore(token, pkix).find(uri.object, uri.id);
  if (!entry) {
    throw Error(Reason::key_not_found,
                token->name() +
                    " has no private key that the key reference names; list its keys with: keystay -list");
  }
  return find_key_type(entry->key.public_key()) == &type
             ? key_on_token(context, *token, std::move(entry->key))
             : KeyPtr{};
}

KeyPtr key_on_token(Context& context, const pkcs11::Token& token, keys::PrivateKey private_key) {
  const KeyType* type = find_key_type(private_key.public_key());
  if (!type) throw Error(Reason::unsupported, "a key of this type on " + token.name());
  return KeyPtr(new Key(context, *type, std::move(private_key), context.signers(token)));
}

}  // namespace keystay::provider
