#include "tlsd/tls/chain.h"

#include <algorithm>
#include <compare>
#include <cstddef>
#include <optional>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "tlsd/tls/openssl_error.h"

namespace keystay::tlsd {
namespace {

// By its own key. A CA that changed its key also has certificates that are self-issued only, by the old key
// for the new one and the other way round (RFC 5280, section 3.2).
bool self_signed(X509* certificate) {
  const bool result = X509_self_signed(certificate, 1) == 1;
  ERR_clear_error();
  return result;
}

bool signed_by(X509* certificate, X509* issuer) {
  const bool result = X509_check_issued(issuer, certificate) == X509_V_OK &&
                      X509_verify(certificate, X509_get0_pubkey(issuer)) == 1;
  ERR_clear_error();
  return result;
}

bool is_sound_issuer(X509* certificate) {
  return X509_check_ca(certificate) != 0 && X509_cmp_current_time(X509_get0_notBefore(certificate)) < 0 &&
         X509_cmp_current_time(X509_get0_notAfter(certificate)) > 0;
}

bool same_key(const X509* one, const X509* other) {
  return EVP_PKEY_eq(X509_get0_pubkey(one), X509_get0_pubkey(other)) == 1;
}

// All that is above a leaf, and the best way up from each certificate.
class PathSearch final {
 public:
  PathSearch(X509* leaf, const std::vector<X509Handle>& others) {
    static_cast<void>(node_of(leaf));
    for (std::size_t i = 0; i < nodes_.size(); ++i) find_issuers(i, others);
    rate();
  }

  [[nodiscard]] std::vector<X509*> sent() const {
    std::vector<X509*> chain;
    for (std::size_t at = kLeaf;;) {
      auto next = nodes_[at].next;
      if (next && nodes_[*next].is_root) next = link_beside_root(at, chain);
      if (!next) return chain;
      chain.push_back(nodes_[*next].certificate);
      at = *next;
    }
  }

 private:
  static constexpr std::size_t kLeaf = 0;

  // Of a way up: the smaller, the better.
  struct Cost {
    std::size_t unsound = 0;  // issuers
    bool without_root = false;
    std::size_t length = 0;
    auto operator<=>(const Cost&) const = default;
  };
  struct Node {
    X509* certificate;
    bool is_root;
    bool is_sound;
    std::vector<std::size_t> issuers;
    std::optional<Cost> cost;         // of the best way up
    std::optional<std::size_t> next;  // on it
  };

  std::size_t node_of(X509* certificate) {
    const auto known = std::ranges::find_if(
        nodes_, [&](const Node& node) { return X509_cmp(node.certificate, certificate) == 0; });
    if (known != nodes_.end()) return static_cast<std::size_t>(known - nodes_.begin());
    nodes_.push_back({certificate, self_signed(certificate), is_sound_issuer(certificate), {}, {}, {}});
    return nodes_.size() - 1;
  }

  void find_issuers(std::size_t index, const std::vector<X509Handle>& others) {
    if (nodes_[index].is_root) return;
    std::vector<std::size_t> issuers;
    for (const X509Handle& other : others) {
      if (signed_by(nodes_[index].certificate, other.get())) issuers.push_back(node_of(other.get()));
    }
    nodes_[index].issuers = std::move(issuers);
  }

  void rate() {
    for (Node& node : nodes_)
      if (node.issuers.empty()) node.cost = Cost{0, !node.is_root, 0};
    while (improve()) {
    }
    // Certificates that have only issued each other: the way up ends with the first of them.
    for (Node& node : nodes_)
      if (!node.cost && &node != &nodes_[kLeaf]) node.cost = Cost{0, true, 0};
    while (improve()) {
    }
  }

  // Each way is longer than the rest of it, so that no best way goes in a circle, and this ends.
  bool improve() {
    bool improved = false;
    for (Node& node : nodes_) {
      for (const std::size_t issuer : node.issuers) {
        const Node& above = nodes_[issuer];
        if (!above.cost) continue;
        const Cost cost{above.cost->unsound + (above.is_sound ? 0 : 1), above.cost->without_root,
                        above.cost->length + 1};
        if (node.cost && *node.cost <= cost) continue;
        node.cost = cost;
        node.next = issuer;
        improved = true;
      }
    }
    return improved;
  }

  // A certificate of the same issuer by another key, which leads to one that is not in the chain yet.
  [[nodiscard]] std::optional<std::size_t> link_beside_root(std::size_t index,
                                                            const std::vector<X509*>& chain) const {
    const auto in_chain = [&](const Node& node) {
      return std::ranges::any_of(chain, [&](X509* sent) { return same_key(sent, node.certificate); });
    };
    std::optional<std::size_t> best;
    for (const std::size_t issuer : nodes_[index].issuers) {
      const Node& link = nodes_[issuer];
      if (link.is_root || !link.is_sound || link.cost->unsound > 0 || in_chain(link)) continue;
      if (link.next && in_chain(nodes_[*link.next])) continue;
      if (!best || *link.cost < *nodes_[*best].cost) best = issuer;
    }
    return best;
  }

  std::vector<Node> nodes_;
};

}  // namespace

X509Stack build_chain(X509* leaf, const std::vector<X509Handle>& others) {
  X509Stack chain(sk_X509_new_null());
  for (X509* certificate : PathSearch(leaf, others).sent()) {
    X509_up_ref(certificate);
    X509Handle shared(certificate);
    if (!chain || sk_X509_push(chain.get(), certificate) == 0) throw openssl_error("sk_X509_push");
    static_cast<void>(shared.release());
  }
  return chain;
}

}  // namespace keystay::tlsd
