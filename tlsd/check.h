// `keystay-tlsd check`: everything that would keep the server from serving, found without serving.
#pragma once

#include <iosfwd>

#include "native/config/tlsd_settings.h"
#include "tlsd/tls/library_context.h"

namespace keystay::tlsd {

// One line for each certificate, each address and each access log on `out`, what is wrong on `err`. True if
// nothing is.
[[nodiscard]] bool check(const LibraryContext& library, const config::TlsdSettings& settings,
                         std::ostream& out, std::ostream& err);

}  // namespace keystay::tlsd
