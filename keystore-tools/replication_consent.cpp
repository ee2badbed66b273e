#include "keystore-tools/replication_consent.h"

#include <cstdio>

#include <fmt/core.h>

#include "keystore-tools/failure.h"
#include "keystore-tools/terminal.h"
#include "native/pkcs11/unicode.h"

namespace keystay::tools {

void agree_to_replication(keys::KeySource& source) {
  const auto replication = source.replication();
  if (!replication || replication->replicas.size() < 2 || !replication->wrapping_key) return;
  fmt::print(stderr,
             "The key is made on one member of {} and leaves it once, wrapped under \"{}\", for the others:\n"
             "its CKA_NEVER_EXTRACTABLE will be false. Afterwards no member lets it out.\n",
             source.name(), pkcs11::printable(replication->wrapping_key->label));
  const Answer answer = ask("Make it? [no]:  ");
  if (answer == Answer::nobody) throw Failure("nobody can be asked; write -noprompt");
  if (answer == Answer::no) throw Failure("no key was made");
}

}  // namespace keystay::tools
