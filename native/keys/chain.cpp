#include "native/keys/chain.h"

#include <algorithm>
#include <memory>
#include <tuple>
#include <utility>

#include "native/keys/entry.h"
#include "native/keys/name.h"
#include "native/pkcs11/text.h"

namespace keystay::keys {
namespace {

constexpr std::string_view kIssuerPrefix = "issuer-";

// Bounds on the work for a token or file that others may write to.
constexpr std::size_t kMostCertificates = 500;
constexpr std::size_t kMostVerifications = 1000;

bool is_sound_issuer(const Certificate& certificate) { return certificate.is_ca && valid_now(certificate); }

bool is_better_issuer(const Certificate& a, const Certificate& b) {
  if (is_sound_issuer(a) != is_sound_issuer(b)) return is_sound_issuer(a);
  return preferred(a, b);
}

}  // namespace

// One search for the cheapest path, by Dijkstra's algorithm: it looks at each certificate once, not at each
// path.
class PathSearch final {
 public:
  PathSearch(ChainBuilder& builder, const Certificate& leaf) : builder_(builder) {
    nodes_.push_back({&leaf, {0, 1}, kNobody});
  }

  Chain run() {
    while (const std::optional<std::size_t> next = cheapest_open()) {
      if (end_ && !rank_of_best_from(*next)) break;
      visit(*next);
    }
    return path_to(end_.value_or(longest()));
  }

 private:
  struct Cost {
    std::size_t unsound;  // issuers that have expired, or are no CAs
    std::size_t length;
    auto operator<=>(const Cost&) const = default;
  };
  static constexpr std::size_t kNobody = static_cast<std::size_t>(-1);
  struct Node {
    const Certificate* certificate;
    Cost cost;
    std::size_t issued;  // the node before it on the way from the leaf
    bool visited = false;
    bool is_root = false;
  };
  // The smaller, the better; see ChainBuilder::build.
  using Rank = std::tuple<bool, bool, Cost>;

  [[nodiscard]] static Rank rank(const Cost& cost, bool is_root) {
    return {cost.unsound > 0, !is_root, cost};
  }

  // Whether a path by this node may still be better than the one that was found: as if it were a root.
  [[nodiscard]] bool rank_of_best_from(std::size_t index) const {
    const Node& end = nodes_[*end_];
    return rank(nodes_[index].cost, true) < rank(end.cost, end.is_root);
  }

  [[nodiscard]] std::optional<std::size_t> cheapest_open() const {
    std::optional<std::size_t> cheapest;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (!nodes_[i].visited && (!cheapest || nodes_[i].cost < nodes_[*cheapest].cost)) cheapest = i;
    }
    return cheapest;
  }

  void visit(std::size_t index) {
    nodes_[index].visited = true;
    const Certificate& certificate = *nodes_[index].certificate;
    nodes_[index].is_root = certificate.self_issued() && builder_.verifies(certificate, certificate);
    if (nodes_[index].is_root || nodes_[index].cost.length == kLongestChain || !add_issuers(index)) {
      take_as_end(index);
    }
  }

  // False if there are none.
  bool add_issuers(std::size_t index) {
    const Certificate& certificate = *nodes_[index].certificate;
    bool any = false;
    for (const Certificate& issuer : builder_.named(certificate.issuer)) {
      if (issuer.der == certificate.der || !same_name(issuer.subject, certificate.issuer)) continue;
      if (!builder_.verifies(certificate, issuer)) continue;
      any = true;
      const Cost& cost = nodes_[index].cost;
      add(issuer, {cost.unsound + (is_sound_issuer(issuer) ? 0 : 1), cost.length + 1}, index);
    }
    return any;
  }

  void add(const Certificate& certificate, const Cost& cost, std::size_t issued) {
    const auto known = std::ranges::find_if(
        nodes_, [&](const Node& node) { return node.certificate->der == certificate.der; });
    if (known == nodes_.end()) {
      if (nodes_.size() < kMostCertificates) nodes_.push_back({&certificate, cost, issued});
    } else if (!known->visited && cost < known->cost) {
      known->cost = cost;
      known->issued = issued;
    }
  }

  void take_as_end(std::size_t index) {
    const Node& node = nodes_[index];
    if (end_ && rank(nodes_[*end_].cost, nodes_[*end_].is_root) <= rank(node.cost, node.is_root)) return;
    end_ = index;
  }

  // Where certificates have issued each other only, no path ends.
  [[nodiscard]] std::size_t longest() const {
    const auto at = std::ranges::max_element(
        nodes_, {}, [](const Node& node) { return std::pair(node.cost.unsound == 0, node.cost.length); });
    return static_cast<std::size_t>(at - nodes_.begin());
  }

  [[nodiscard]] Chain path_to(std::size_t index) const {
    Chain chain;
    for (; index != kNobody; index = nodes_[index].issued) chain.push_back(*nodes_[index].certificate);
    std::ranges::reverse(chain);
    return chain;
  }

  ChainBuilder& builder_;
  std::vector<Node> nodes_;
  std::optional<std::size_t> end_;  // of the best path so far
};

Chain ChainBuilder::build(const Certificate& leaf) {
  verifications_ = 0;
  return PathSearch(*this, leaf).run();
}

const std::vector<Certificate>& ChainBuilder::named(pkcs11::ByteView subject) {
  const auto [at, is_new] = named_.try_emplace(canonical_name(subject));
  if (is_new) {
    at->second = search_(subject);
    std::ranges::stable_sort(at->second, is_better_issuer);
  }
  return at->second;
}

// Who has the same key as an issuer that verified has issued it too.
bool ChainBuilder::verifies(const Certificate& certificate, const Certificate& issuer) {
  std::vector<Verified>& known = verified_[certificate.der];
  const auto same_key = [&](const Verified& one) {
    return issuer.public_key ? one.key == issuer.public_key : one.der == issuer.der;
  };
  if (const auto at = std::ranges::find_if(known, same_key); at != known.end()) return at->result;
  if (++verifications_ > kMostVerifications) return false;
  return known
      .emplace_back(Verified{issuer.public_key, issuer.public_key ? pkcs11::Bytes() : issuer.der,
                             pkix_.issued_by(certificate, issuer)})
      .result;
}

Chain build_chain(const Certificate& leaf, const Pkix& pkix, const IssuerSearch& search) {
  return ChainBuilder(pkix, search).build(leaf);
}

IssuerSearch issuers_among(const std::vector<Certificate>& certificates) {
  const auto by_name = std::make_shared<std::map<pkcs11::Bytes, std::vector<Certificate>>>();
  for (const Certificate& certificate : certificates)
    (*by_name)[canonical_name(certificate.subject)].push_back(certificate);
  return [by_name](pkcs11::ByteView subject) {
    const auto at = by_name->find(canonical_name(subject));
    return at == by_name->end() ? std::vector<Certificate>() : at->second;
  };
}

bool is_complete(const Chain& chain, const Pkix& pkix) {
  return !chain.empty() && std::all_of(chain.begin() + 1, chain.end(), is_sound_issuer) &&
         is_self_signed(chain.back(), pkix);
}

bool is_self_signed(const Certificate& certificate, const Pkix& pkix) {
  return certificate.self_issued() && pkix.issued_by(certificate, certificate);
}

std::string issuer_label(pkcs11::ByteView id) { return std::string(kIssuerPrefix) + pkcs11::hex(id); }

bool is_issuer_label(std::string_view label) { return label.starts_with(kIssuerPrefix); }

}  // namespace keystay::keys
