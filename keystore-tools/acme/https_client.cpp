#include "keystore-tools/acme/https_client.h"

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <utility>

#include "keystore-tools/acme/interruption.h"
#include "keystore-tools/acme/libcurl.h"
#include "keystore-tools/failure.h"

namespace keystay::tools::acme {
namespace {

constexpr std::size_t kLongestBody = 1 << 20;    // of a chain of certificates; all else is far smaller
constexpr std::size_t kLongestHeader = 8 << 10;  // value of one that is read
constexpr long kConnectTimeout = 30;             // seconds
constexpr long kTimeout = 120;                   // of a whole request, in seconds
constexpr char kUserAgent[] = "keystay/" KEYSTAY_VERSION;

struct FreeList {
  void operator()(curl_slist* list) const noexcept { libcurl().slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, FreeList>;

template <typename Value>
void set(CURL* handle, CURLoption option, Value value) {
  if (const CURLcode code = libcurl().easy_setopt(handle, option, value); code != CURLE_OK)
    throw Failure(std::string("curl_easy_setopt: ") + libcurl().easy_strerror(code));
}

// CURLOPT_WRITEFUNCTION: no exception may pass through libcurl.
std::size_t append_body(char* data, std::size_t size, std::size_t count, void* body) noexcept {
  std::string& text = *static_cast<std::string*>(body);
  if (size * count > kLongestBody - text.size()) return 0;  // CURLE_WRITE_ERROR
  try {
    text.append(data, size * count);
  } catch (const std::bad_alloc&) {
    return 0;
  }
  return size * count;
}

// CURLOPT_XFERINFOFUNCTION: anything but 0 ends the request.
int is_interrupted(void* /*client*/, curl_off_t /*to_receive*/, curl_off_t /*received*/,
                   curl_off_t /*to_send*/, curl_off_t /*sent*/) noexcept {
  return Interruption::was_requested() ? 1 : 0;
}

HeaderList headers_of(const Request& request) {
  HeaderList list;
  const auto add = [&](const std::string& line) {
    curl_slist* longer = libcurl().slist_append(list.get(), line.c_str());
    if (!longer) throw std::bad_alloc();
    static_cast<void>(list.release());
    list.reset(longer);
  };
  if (request.method == Method::post) add("Content-Type: application/jose+json");
  if (request.accept) add(std::string("Accept: ") + request.accept);
  add("Accept-Language: en");
  add("Expect:");  // no pause before the body
  return list;
}

std::string header(CURL* handle, const char* name) {
  curl_header* found = nullptr;
  if (libcurl().easy_header(handle, name, 0, CURLH_HEADER, -1, &found) != CURLHE_OK) return {};
  std::string value = found->value;
  return value.size() <= kLongestHeader ? value : std::string();
}

std::optional<std::chrono::seconds> retry_after(CURL* handle) {
  curl_off_t seconds = 0;  // 0: it has no such header
  if (libcurl().easy_getinfo(handle, CURLINFO_RETRY_AFTER, &seconds) != CURLE_OK || seconds <= 0)
    return std::nullopt;
  constexpr curl_off_t kMost = std::chrono::seconds(std::chrono::days(365)).count();
  return std::chrono::seconds(std::min(seconds, kMost));
}

std::string remedy(CURLcode code, const std::filesystem::path& authorities) {
  switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
      return authorities.empty() ? "; if the CA is a private one, name the file with its root: -ca-file FILE"
                                 : "; " + authorities.string() +
                                       " (-ca-file) has not the root of this server's certificate, or "
                                       "that is for another name";
    case CURLE_SSL_CACERT_BADFILE:
      return "; -ca-file must name a readable file of certificates in PEM";
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
      return "; look at -directory, the network, and https_proxy if one is needed";
    case CURLE_UNSUPPORTED_PROTOCOL:
      return "; ACME is spoken over https only";
    case CURLE_WRITE_ERROR:
      return "; an answer has " + std::to_string(kLongestBody) + " bytes at most";
    default:
      return "";
  }
}

}  // namespace

HttpsClient::HttpsClient(std::filesystem::path authorities)
    : authorities_(std::move(authorities)), handle_(libcurl().easy_init()) {
  if (!handle_) throw Failure("curl_easy_init: out of memory");
}

HttpsClient::~HttpsClient() { libcurl().easy_cleanup(handle_); }

Response HttpsClient::perform(const Request& request) {
  const LibCurl& curl = libcurl();
  curl.easy_reset(handle_);  // options only; connections are kept
  Response response;
  std::array<char, CURL_ERROR_SIZE> reason{};
  const HeaderList headers = headers_of(request);
  set(handle_, CURLOPT_URL, request.url.c_str());
  set(handle_, CURLOPT_PROTOCOLS_STR, "https");
  set(handle_, CURLOPT_FOLLOWLOCATION, 0L);
  set(handle_, CURLOPT_NOSIGNAL, 1L);
  set(handle_, CURLOPT_CONNECTTIMEOUT, kConnectTimeout);
  set(handle_, CURLOPT_TIMEOUT, kTimeout);
  set(handle_, CURLOPT_USERAGENT, kUserAgent);
  set(handle_, CURLOPT_HTTPHEADER, headers.get());
  set(handle_, CURLOPT_ERRORBUFFER, reason.data());
  set(handle_, CURLOPT_WRITEFUNCTION, &append_body);
  set(handle_, CURLOPT_WRITEDATA, &response.body);
  set(handle_, CURLOPT_XFERINFOFUNCTION, &is_interrupted);
  set(handle_, CURLOPT_NOPROGRESS, 0L);
  if (!authorities_.empty()) set(handle_, CURLOPT_CAINFO, authorities_.c_str());
  if (request.method == Method::head) set(handle_, CURLOPT_NOBODY, 1L);
  if (request.method == Method::post) {
    set(handle_, CURLOPT_POST, 1L);
    set(handle_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    set(handle_, CURLOPT_POSTFIELDS, request.body.data());
  }
  if (const CURLcode code = curl.easy_perform(handle_); code != CURLE_OK) {
    if (code == CURLE_ABORTED_BY_CALLBACK) Interruption::check();
    throw Failure("ACME: no answer from " + request.url + ": " +
                  (reason[0] != '\0' ? reason.data() : curl.easy_strerror(code)) +
                  remedy(code, authorities_));
  }
  long status = 0;
  static_cast<void>(curl.easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &status));
  response.status = static_cast<int>(status);
  response.nonce = header(handle_, "Replay-Nonce");
  response.location = header(handle_, "Location");
  response.retry_after = retry_after(handle_);
  return response;
}

}  // namespace keystay::tools::acme
