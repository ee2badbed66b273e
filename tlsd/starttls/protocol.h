// How the clients of a protocol ask for TLS in clear. keystay-tlsd holds that dialogue itself; the server
// behind sees only what comes in TLS, and has to be no more than a server of the protocol without TLS.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "native/config/tlsd_settings.h"

namespace keystay::tlsd {

// What a message of the client gets, and what comes then.
struct ClearReply {
  enum class Then {
    go_on,   // the next message
    tls,     // the client begins TLS; nothing may have come behind its message
    end,     // the client asked for the end
    refuse,  // the client wants something that there is in TLS only
    cancel,  // the message is for the server behind, and no answer comes (CancelRequest of PostgreSQL)
  };
  std::string text;
  Then then = Then::go_on;
};

// The beginning of what a server behind sends.
struct ServerGreeting {
  enum class Kind {
    incomplete,
    ready,    // the client has had a greeting, and gets none again
    refusal,  // the server does not want this connection: the client reads that as the answer to its first
              // command
    other,    // it cannot be followed
  };
  Kind kind = Kind::incomplete;
  std::size_t size = 0;  // of a `ready` one
};

struct ClearProtocol {
  std::string greeting;                            // of servers that speak first; else empty
  bool direct_tls;                                 // a client may begin with TLS instead
  std::size_t (*size_of)(std::string_view bytes);  // of a message, as ClearText::SizeOf
  ClearReply (*reply)(std::string_view message);
  ServerGreeting (*server_greeting)(std::string_view bytes);  // null: servers do not speak first
};

[[nodiscard]] const ClearProtocol& clear_protocol(config::StartTls protocol);

// The name by which this host greets.
[[nodiscard]] const std::string& greeting_name();

// The line at the front of the bytes, with its end; 0 while there is none.
[[nodiscard]] std::size_t size_of_line(std::string_view bytes);
// Without its end and blanks before that.
[[nodiscard]] std::string_view without_line_end(std::string_view line);

[[nodiscard]] ClearProtocol smtp_protocol();
[[nodiscard]] ClearProtocol imap_protocol();
[[nodiscard]] ClearProtocol pop3_protocol();
[[nodiscard]] ClearProtocol ldap_protocol();
[[nodiscard]] ClearProtocol postgresql_protocol();

}  // namespace keystay::tlsd
