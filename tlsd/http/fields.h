// What a gateway changes in the fields of a message before it passes it on (RFC 9110, section 7.6).
#pragma once

#include <string_view>

#include "tlsd/http/http.h"
#include "tlsd/tls/client_identity.h"

namespace keystay::tlsd {

// Connection and what it names, and the other fields that are for one hop only (RFC 9110, section 7.6.1).
void remove_hop_by_hop(http::fields& fields);

// The client asks to switch to WebSocket in a way that a tunnel can follow (RFC 6455, section 4.1).
[[nodiscard]] bool asks_for_websocket(const RequestHeader& request);

// Makes the request the backend's: without hop-by-hop fields, with X-Forwarded-For, X-Forwarded-Proto and
// Via, with a target in origin-form. Host stays as the client sent it. Fields that backends trust because a
// proxy sets them are dropped when a client sends them: Forwarded, X-Real-IP, X-Forwarded-Host, Client-Cert
// and the like, and so are fields with an underscore, since many backends read X_Forwarded_For
// as X-Forwarded-For. The framing (Content-Length, Transfer-Encoding) is left alone.
void prepare_request(RequestHeader& request, std::string_view client_address);
// Behind it: who the client is by the certificate that it showed, in Client-Cert (RFC 9440, section 2.2), and
// in the Hash and Subject of X-Forwarded-Client-Cert, as Envoy writes it.
void add_client_certificate(RequestHeader& request, const ClientIdentity& client);
// Likewise for the response.
void prepare_response(ResponseHeader& response);
// Likewise for a 1xx response, which has no body and no framing (RFC 9110, sections 8.6 and 15.2).
void prepare_interim_response(ResponseHeader& response);

// Leaves of a trailer section what may stand there (RFC 9110, section 6.5.1): nothing that frames, routes,
// authenticates or describes the content, and nothing that a proxy says.
void prepare_trailer(http::fields& trailer);

// The backend of a client that asked for WebSocket agrees to it, and to nothing else (RFC 9110, section 7.8).
[[nodiscard]] bool switches_to_websocket(const ResponseHeader& response);

}  // namespace keystay::tlsd
