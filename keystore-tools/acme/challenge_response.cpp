#include "keystore-tools/acme/challenge_response.h"

#include <cstdio>
#include <ranges>
#include <utility>

#include <fmt/core.h>

namespace keystay::tools::acme {

PublishedResponses::~PublishedResponses() {
  for (const Published& published : std::ranges::reverse_view(published_)) {
    try {
      published.responder.withdraw(published.response);
    } catch (const std::exception& error) {
      fmt::print(stderr, "keystay: warning: the response to the challenge for {} stays: {}\n",
                 published.response.identifier.value, error.what());
    }
  }
}

void PublishedResponses::publish(Responder& responder, ChallengeResponse response) {
  published_.reserve(published_.size() + 1);  // what was published is not lost for want of memory
  responder.publish(response);
  published_.push_back({responder, std::move(response)});
}

}  // namespace keystay::tools::acme
