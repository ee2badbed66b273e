#include "keystore-tools/exportref.h"

#include "keystore-tools/file_argument.h"
#include "native/x509/pem_reference.h"
#include "native/x509/rsa_pss_key.h"

namespace keystay::tools {
namespace {

// No pin-source and no module-path: these are matters of the machine that reads the file.
pkcs11::Uri reference(AliasStore& store, const keys::Entry& entry) {
  const pkcs11::TokenInfo token = store.keys().source().info();
  pkcs11::Uri uri;
  uri.token = token.label;
  uri.serial = token.serial;
  uri.object = entry.key.reference().label();
  uri.id = entry.key.reference().id();
  uri.type = CKO_PRIVATE_KEY;
  uri.spki = x509::encode_spki_attribute(x509::spki_of(entry));
  return uri;
}

}  // namespace

void ExportRef::run(AliasStore& store) const {
  const keys::Entry entry = store.require_key(alias);
  write_output(file, x509::encode_pem_reference(reference(store, entry)));
}

}  // namespace keystay::tools
