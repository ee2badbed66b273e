#include "keystore-tools/acme/client.h"

#include <algorithm>
#include <utility>

#include <boost/json.hpp>

#include "keystore-tools/acme/interruption.h"

namespace keystay::tools::acme {
namespace {

constexpr int kMostNonces = 10;  // for one request
constexpr int kMostPauses = 3;   // likewise, that an overloaded server asks for
constexpr std::chrono::seconds kLongestPause{60};

// Section 6.6 of RFC 8555, and 503 of RFC 9110: a server that is overloaded, and says until when.
bool is_overloaded(const Response& response) {
  return response.status == 503 && response.retry_after && *response.retry_after <= kLongestPause;
}

Problem problem_of(const Response& response) {
  Problem problem = parse_problem(response.body, response.status);
  problem.retry_after = response.retry_after;
  return problem;
}

Directory read_directory(HttpsClient& https, const std::string& url) {
  const Response response = https.perform({.method = Method::get, .url = url});
  if (!response.is_successful()) throw Refusal("the directory " + url, problem_of(response));
  return parse_directory(response.body);
}

}  // namespace

Client::Client(HttpsClient& https, const std::string& directory_url)
    : https_(https), directory_url_(directory_url), directory_(read_directory(https, directory_url)) {}

void Client::use_key(JwsKey key) {
  key_ = std::move(key);
  account_.clear();
}

std::string Client::nonce() {
  if (!nonce_.empty()) return std::exchange(nonce_, {});
  const Response response = https_.perform({.method = Method::head, .url = directory_.new_nonce});
  if (!response.is_successful()) throw Refusal("newNonce at " + directory_.new_nonce, problem_of(response));
  if (response.nonce.empty())
    throw Failure("ACME: newNonce at " + directory_.new_nonce + ": the answer has no Replay-Nonce");
  return response.nonce;
}

Response Client::post_once(const std::string& url, const std::string& payload, const char* accept) {
  boost::json::object header{{"alg", key_.algorithm}, {"nonce", nonce()}, {"url", url}};
  if (account_.empty()) {
    header["jwk"] = boost::json::parse(key_.jwk);
  } else {
    header["kid"] = account_;
  }
  Response response =
      https_.perform({.method = Method::post,
                      .url = url,
                      .body = flattened_jws(boost::json::serialize(header), payload, key_.sign),
                      .accept = accept});
  nonce_ = response.nonce;
  return response;
}

Response Client::post(std::string_view what, const std::string& url, const std::string& payload,
                      const char* accept) {
  int nonces = 0;
  int pauses = 0;
  while (true) {
    Response response = post_once(url, payload, accept);
    if (response.is_successful()) return response;
    Problem problem = problem_of(response);
    const bool goes_on = (problem.type == "badNonce" && ++nonces < kMostNonces) ||
                         (is_overloaded(response) && ++pauses <= kMostPauses);
    if (!goes_on) throw Refusal(std::string(what) + " at " + url, std::move(problem));
    if (is_overloaded(response)) Interruption::sleep(pause_of(response));
  }
}

Response Client::post(std::string_view what, const std::string& url, const std::string& payload) {
  return post(what, url, payload, nullptr);
}

Response Client::post_as_get(std::string_view what, const std::string& url, const char* accept) {
  return post(what, url, "", accept);
}

std::chrono::seconds pause_of(const Response& response) {
  constexpr std::chrono::seconds kUsual{1};
  return std::clamp(response.retry_after.value_or(kUsual), kUsual, kLongestPause);
}

}  // namespace keystay::tools::acme
