// The PINs that tokens have refused.
#pragma once

#include <atomic>
#include <string>
#include <utility>

#include "native/pkcs11/pin.h"

namespace keystay::pkcs11 {

// Of all tokens of a module. Grows only, and has no lock, so that a forked child, which starts with nothing
// else of its parent's, does not try again what the parent tried. Thread-safe.
class RefusedPins final {
 public:
  using Token = std::pair<std::string, std::string>;  // CK_TOKEN_INFO.label and serialNumber

  RefusedPins() = default;
  RefusedPins(const RefusedPins&) = delete;
  RefusedPins& operator=(const RefusedPins&) = delete;
  ~RefusedPins() {
    for (const Node* node = head_.load(std::memory_order_acquire); node;)
      delete std::exchange(node, node->next);
  }

  void add(Token token, Pin pin) {
    auto* node = new Node{std::move(token), std::move(pin), head_.load(std::memory_order_relaxed)};
    while (!head_.compare_exchange_weak(node->next, node, std::memory_order_acq_rel)) {
    }
  }

  [[nodiscard]] bool contains(const Token& token, const Pin& pin) const noexcept {
    for (const Node* node = head_.load(std::memory_order_acquire); node; node = node->next)
      if (node->token == token && node->pin.equals(pin)) return true;
    return false;
  }

 private:
  struct Node {
    Token token;
    Pin pin;
    Node* next;
  };

  std::atomic<Node*> head_{nullptr};
};

}  // namespace keystay::pkcs11
