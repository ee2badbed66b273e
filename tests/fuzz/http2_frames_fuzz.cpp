// What a client of HTTP/2 sends behind its preface: frames of any kind. Each request that comes of them and
// may pass is a head that the framing gate would let pass from a client of HTTP/1.1, for one host; what is
// held of bodies stays within the windows; nothing is thrown, and a connection that is to end says so.
#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/law.h"
#include "tlsd/http2/http2_frames.h"
#include "tlsd/http2/request_head.h"

namespace keystay::test {
namespace {

using namespace keystay::tlsd;

constexpr std::uint32_t kWindow = 65'535;
constexpr std::uint32_t kConnection = 2 * kWindow;
constexpr std::size_t kOutput = 16'384;
const keystay::config::RequestSizes kSizes;

// Holds every body, and answers each request with its head alone.
class Stream final : public FramedStream {
 public:
  explicit Stream(std::size_t& held) : held_(held) {}

  bool on_field(std::string_view name, std::string_view value) override {
    return !complete_ ? head.add(name, value) : true;
  }
  void on_head_end() override { complete_ = true; }
  void on_data(std::string_view bytes) override {
    require(!ended_, "nothing follows the end of a request");
    size_ += bytes.size();
    held_ += bytes.size();
    require(size_ <= kWindow && held_ <= kConnection, "no more than the windows is held");
  }
  void on_request_end() override { ended_ = true; }
  void on_close() noexcept override {}
  Part next_part(std::size_t) override { return {}; }
  void take_part(std::size_t, std::string&) override {}

  RequestHead head{kSizes};

 private:
  std::size_t& held_;
  std::size_t size_ = 0;
  bool complete_ = false;
  bool ended_ = false;
};

class Listener final : public FrameListener {
 public:
  FramedStream* on_request(std::int32_t id) override {
    return streams.emplace(id, std::make_unique<Stream>(held)).first->second.get();
  }
  void on_request_head(FramedStream& stream) override { complete.push_back(static_cast<Stream*>(&stream)); }
  void on_closed(std::int32_t id) override {
    std::erase(complete, streams.at(id).get());
    streams.erase(id);
  }
  void on_data_sent(std::size_t) override {}
  void on_cost(std::int64_t) override {}
  void on_malformed(std::string_view) override {}
  void on_stream_error(std::uint32_t) override {}
  void on_connection_error(std::uint32_t, std::string_view) override {}

  std::size_t held = 0;
  std::map<std::int32_t, std::unique_ptr<Stream>> streams;
  std::vector<Stream*> complete;
};

void check(RequestHead& head) {
  RequestParser request;
  if (head.parse(request, RequestBody::none)) return;
  auto& message = request.get();
  require(message.count(http::field::host) == 1, "a request is for one host");
  require(message.count(http::field::cookie) <= 1, "its cookies are one field");
  std::string text(message.method_string());
  text.append(" ").append(message.target()).append(" HTTP/1.1\r\n");
  for (const auto& field : message)
    text.append(field.name_string()).append(": ").append(field.value()).append("\r\n");
  require(!refuse_request(text + "\r\n"), "what passes would pass in HTTP/1.1");
}

void receive(std::string_view input) {
  Listener listener;
  Http2Frames frames(listener, {4, kWindow, kConnection, 16'384, true});
  const std::string bytes = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + std::string(input);
  std::string output;
  std::string_view rest(bytes);
  while (!rest.empty() && frames.wants_input()) {
    const std::size_t size = std::min<std::size_t>(rest.size(), 4096);
    frames.receive({reinterpret_cast<const std::uint8_t*>(rest.data()), size});
    rest.remove_prefix(size);
    for (Stream* stream : std::exchange(listener.complete, {})) check(stream->head);
    do {
      output.clear();
      frames.fill(output, kOutput);
    } while (!output.empty());
  }
  require(frames.wants_input() || !frames.wants_output(), "the reason for an end is sent");
}

}  // namespace
}  // namespace keystay::test

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  keystay::test::receive({reinterpret_cast<const char*>(data), size});
  return 0;
}
