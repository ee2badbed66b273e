// Names of subjects and issuers, compared as RFC 5280, section 7.1, wants it: CAs write the same name as a
// PrintableString here and as a UTF8String there.
#pragma once

#include "native/pkcs11/cryptoki.h"

namespace keystay::keys {

// One form for all encodings of a DER Name: text in UTF-8, ASCII letters small, blanks at the ends gone and
// others single, as libcrypto's X509_NAME_cmp and the JDK compare. A value that is no text, and what is no
// Name, stays as it is. For comparisons only: it is no Name.
[[nodiscard]] pkcs11::Bytes canonical_name(pkcs11::ByteView name);

// Whether both are the same name, in whatever encoding.
[[nodiscard]] bool same_name(pkcs11::ByteView a, pkcs11::ByteView b);

}  // namespace keystay::keys
