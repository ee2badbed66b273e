// Session tickets (RFC 5077; RFC 8446, section 4.6.1): where the keys come from that seal them, and for how
// long.
#pragma once

#include <chrono>
#include <string>

namespace keystay::config {

struct TicketSettings {
  enum class Source {
    off,     // no tickets: each handshake has a signature
    random,  // keys of this process alone
    alias,   // derived by a key on a token, the same for all who have that key
    file,    // what others write, the same for all who read it
  };

  Source source = Source::random;
  std::string name;                                            // an alias or a URI; the path of the file
  std::chrono::milliseconds rotation{std::chrono::hours(12)};  // after which a new key seals; not for a file
  std::chrono::milliseconds lifetime{std::chrono::hours(2)};   // of a ticket, in whole seconds
  std::string place;                                           // in the file, for who finds out later

  // Whether keys that were made by the one are those of the other.
  [[nodiscard]] bool same_keys(const TicketSettings& other) const {
    return source == other.source && name == other.name && rotation == other.rotation &&
           lifetime == other.lifetime;
  }
};

}  // namespace keystay::config
