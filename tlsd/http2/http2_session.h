// HTTP/2 on a client's connection (RFC 9113): many requests at the same time, each with an exchange of its
// own with a backend.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tlsd/async_wait.h"
#include "tlsd/http/http_bytes.h"
#include "tlsd/http2/frame_budget.h"
#include "tlsd/http2/http2_access.h"
#include "tlsd/http2/http2_frames.h"
#include "tlsd/http2/http2_stream.h"
#include "tlsd/protocol_handler.h"
#include "tlsd/time_limit.h"

namespace keystay::tlsd {

class Http2Session final : public ProtocolHandler, private FrameListener {
 public:
  explicit Http2Session(const TlsClient& client);

  [[nodiscard]] awaitable<void> run() override;
  // GOAWAY in two phases: requests that were on their way are still served, later ones are refused.
  void drain() noexcept override;
  void cut() noexcept override;

 private:
  class Served;

  [[nodiscard]] awaitable<void> read_frames();
  [[nodiscard]] awaitable<void> write_frames();
  [[nodiscard]] awaitable<void> close();
  [[nodiscard]] awaitable<void> serve(Http2Stream& stream);
  [[nodiscard]] awaitable<void> refuse(Http2Stream& stream, const Refusal& refusal, std::string_view line);

  void receive(std::span<const std::uint8_t> bytes);
  void begin_requests();
  void request_ended(Http2Stream& stream) noexcept;
  void limit_idle_time();
  void limit_head();
  void end_idle_connection() noexcept;
  void abandon_streams() noexcept;

  // FrameListener
  [[nodiscard]] FramedStream* on_request(std::int32_t stream) override;
  void on_request_head(FramedStream& stream) override;
  void on_closed(std::int32_t stream) override { streams_.erase(stream); }
  void on_data_sent(std::size_t size) override { budget_.earn_bytes(static_cast<std::int64_t>(size)); }
  void on_cost(std::int64_t points) override;
  void on_malformed(std::string_view why) override;
  void on_stream_error(std::uint32_t code) override;
  void on_connection_error(std::uint32_t code, std::string_view why) override;

  const TlsClient client_;
  const Executor executor_;
  Http2Frames frames_;
  AsyncWait wake_;  // of the writer: there are frames to be sent, or the end has come
  FrameBudget budget_;
  HttpBytes bytes_;
  Http2Access access_;
  std::map<std::int32_t, std::shared_ptr<Http2Stream>> streams_;  // until both sides are done with them
  std::vector<std::shared_ptr<Http2Stream>> begun_;               // whose exchange begins next
  std::size_t active_ = 0;                                        // exchanges
  std::string output_;                                            // frames on their way
  std::optional<TimeLimit> idle_limit_;                           // without requests
  std::optional<TimeLimit> head_limit_;                           // of a field section that is not complete
  std::optional<TimeLimit> last_requests_limit_;                  // between the two phases of GOAWAY
  bool flooded_ = false;
  bool over_ = false;              // all was sent, and nothing more is read
  bool broken_ = false;            // nothing more is read or written
  bool closed_by_client_ = false;  // in order
  bool cut_ = false;
};

}  // namespace keystay::tlsd
