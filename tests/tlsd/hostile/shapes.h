// What hostile or careless peers send, shape by shape, and what must come of each.
#pragma once

#include <string>
#include <vector>

namespace keystay::test {

using Pieces = std::vector<std::string>;  // each written on its own: a record of TLS, a segment of TCP

// How a peer ends after its last piece.
enum class Ending { waits, half_closes, resets };

inline constexpr unsigned kNoAnswer = 0;  // the connection ends without a response

// Within TLS. The backend echoes each request that it gets as the body of a 200.
struct ClientShape {
  const char* name;
  Pieces pieces;
  unsigned status;          // of the first response
  std::string seen = {};    // in the request that the backend got, if status is 200
  std::string unseen = {};  // not in it
  Ending ending = Ending::waits;
};

// What a backend answers to GET /.
struct BackendShape {
  const char* name;
  Pieces pieces;
  unsigned status;                                             // for the client
  std::string seen = {};                                       // in the bytes that the client gets
  std::string unseen = {};                                     // not in them
  enum class Body { complete, broken } body = Body::complete;  // broken: no proper end reaches the client
};

// Instead of a handshake, below TLS.
struct TlsShape {
  const char* name;
  Pieces pieces;
  std::string seen = {};  // in what comes back; nothing but alerts if empty
};

// In plain HTTP, to the administrator's listener.
struct AdminShape {
  const char* name;
  std::string request;
  unsigned status;
};

[[nodiscard]] std::vector<ClientShape> framing_shapes();
[[nodiscard]] std::vector<ClientShape> head_shapes();
[[nodiscard]] std::vector<ClientShape> chunk_shapes();
[[nodiscard]] std::vector<BackendShape> backend_shapes();
[[nodiscard]] std::vector<TlsShape> tls_shapes();
[[nodiscard]] std::vector<AdminShape> admin_shapes();

// The text so many times.
[[nodiscard]] inline std::string many(std::size_t count, const std::string& text) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

}  // namespace keystay::test
