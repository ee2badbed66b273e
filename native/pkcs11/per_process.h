// State that a forked child must not inherit: after a fork the child makes its own, from scratch.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

namespace keystay::pkcs11 {

// Zero in the first process, one more in each child that it forks, and so on down.
[[nodiscard]] std::uint64_t process_generation() noexcept;

// One T per process generation, made at its first use. A parent's T is kept but never touched in a child: its
// mutexes may be held by threads that do not exist there, and its sessions belong to the parent's connection.
template <typename T>
class PerProcess final {
 public:
  explicit PerProcess(std::function<std::unique_ptr<T>()> make) : make_(std::move(make)) {}
  PerProcess(const PerProcess&) = delete;
  PerProcess& operator=(const PerProcess&) = delete;
  ~PerProcess() {
    const std::unique_ptr<Node> node(node_.load(std::memory_order_acquire));
    // What a parent left is not destroyed in a child either.
    if (node && node->generation != process_generation()) static_cast<void>(node->value.release());
    if (node) leave_ancestors(node->ancestor);
  }

  [[nodiscard]] T& get() {
    Node* node = node_.load(std::memory_order_acquire);
    if (node && node->generation == process_generation()) [[likely]]
      return *node->value;
    return renew(node);
  }

 private:
  struct Node {
    std::uint64_t generation;
    std::unique_ptr<T> value;
    Node* ancestor;  // reachable, so that a leak checker in a child sees it is kept on purpose
  };

  T& renew(Node* seen) {
    auto fresh = std::make_unique<Node>(Node{process_generation(), make_(), seen});
    if (node_.compare_exchange_strong(seen, fresh.get(), std::memory_order_acq_rel))
      return *fresh.release()->value;
    return *seen->value;  // another thread of this process was first
  }

  static void leave_ancestors(Node* node) {
    while (node) {
      static_cast<void>(node->value.release());
      delete std::exchange(node, node->ancestor);
    }
  }

  std::function<std::unique_ptr<T>()> make_;
  std::atomic<Node*> node_{nullptr};
};

}  // namespace keystay::pkcs11
