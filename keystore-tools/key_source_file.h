// The file that -importkeystore reads, as entries of a key store.
#pragma once

#include <string>
#include <vector>

#include "keystore-tools/importkeystore.h"
#include "native/keys/pkix.h"
#include "native/x509/private_key_parts.h"

namespace keystay::tools {

struct SourceEntry {
  std::string alias;  // in small letters, as keytool has it; empty: of a file without names
  std::optional<x509::PrivateKeyParts> key;  // nothing: a trusted certificate
  keys::Chain chain;                         // the leaf first; empty: a key without a certificate
  std::vector<keys::Certificate> others;     // what else the file has, in which issuers may be
};

// All entries of the file, checked: each chain begins with a certificate of its key. Throws Failure that
// names the file, and UsageError for a type that is not known.
[[nodiscard]] std::vector<SourceEntry> read_source(const ImportKeyStore& command, const StoreOptions& options,
                                                   const keys::Pkix& pkix);

}  // namespace keystay::tools
