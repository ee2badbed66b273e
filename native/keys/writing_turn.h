// One writer of a token at a time on this machine. PKCS #11 has no transaction, and a token may show a
// process less than there is: SoftHSM looks for others' new objects only when its count of changes is not the
// one of its own last change, so that a process that creates objects beside another may never see the
// other's. A writer therefore takes its turn first, looks, and decides by what it sees then.
//
// Writers on other machines take no part in it; for them the order of the writes decides (naming.h).
#pragma once

#include "native/config/file_descriptor.h"
#include "native/pkcs11/slot.h"

namespace keystay::keys {

// The turn lasts as long as the object, and ends with the process. Waits for the writer before, at most 30 s:
// one that hangs in its token does not stop all others for ever. It is a Unix socket bound to an abstract
// name (unix(7)), which leaves no file and asks no rights of a directory; where there are none, there is no
// turn.
class WritingTurn final {
 public:
  explicit WritingTurn(const pkcs11::TokenInfo& token);

 private:
  config::FileDescriptor socket_;
};

}  // namespace keystay::keys
