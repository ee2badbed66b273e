// The certificates that a server sends above its leaf (RFC 8446, section 4.4.2).
#pragma once

#include <vector>

#include "tlsd/tls/openssl_handles.h"

namespace keystay::tlsd {

// From the leaf's issuer upwards, without a trust anchor: a certificate that its own key has signed. Of
// several ways up, one without a certificate that is not valid now or is no CA's is taken, then one that ends
// in a trust anchor, then a short one. Where a trust anchor also has a certificate by another key, that one
// is sent, if all that is known above it is valid: who knows only the other key needs it (RFC 4210,
// section 4.4). The certificates are shared with `others`, which may hold any, in any order. Throws
// CryptoError for want of memory.
[[nodiscard]] X509Stack build_chain(X509* leaf, const std::vector<X509Handle>& others);

}  // namespace keystay::tlsd
