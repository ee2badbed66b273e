#include "tests/fuzz/mutation.h"

#include <algorithm>
#include <array>

namespace keystay::test {
namespace {

constexpr std::size_t kLongest = 1 << 16;

// Bytes at which parsers of these formats decide something.
constexpr std::array<std::uint8_t, 20> kTelling{0,   1,   '\n', ' ', '%', '&', '-',  '/',  ':',  ';',
                                                '=', '?', '0',  'A', 'z', 127, 0x80, 0xc0, 0xfe, 0xff};

class Mutator final {
 public:
  Mutator(const std::vector<Input>& corpus, std::uint64_t number)
      : corpus_(corpus), random_(number), input_(any_file()) {}

  Input run() {
    for (std::size_t changes = 1 + below(8); changes > 0; --changes) change();
    input_.resize(std::min(input_.size(), kLongest));
    return std::move(input_);
  }

 private:
  // std::uniform_int_distribution differs between libraries.
  std::size_t below(std::size_t end) { return end == 0 ? 0 : random_() % end; }
  const Input& any_file() { return corpus_[below(corpus_.size())]; }
  std::uint8_t any_byte() {
    return below(2) == 0 ? kTelling[below(kTelling.size())] : static_cast<std::uint8_t>(below(256));
  }
  auto at(std::size_t offset) { return input_.begin() + static_cast<std::ptrdiff_t>(offset); }

  void change() {
    const std::size_t place = below(input_.size());
    const std::size_t length = below(input_.size() - place + 1);
    switch (below(6)) {
      case 0:
        if (!input_.empty()) input_[place] = any_byte();
        break;
      case 1:
        if (!input_.empty()) input_[place] ^= static_cast<std::uint8_t>(1u << below(8));
        break;
      case 2:
        input_.insert(at(place), 1 + below(16), any_byte());
        break;
      case 3:
        input_.erase(at(place), at(place + length));
        break;
      case 4:
        repeat(place, length);
        break;
      default:
        splice(place);
        break;
    }
  }

  void repeat(std::size_t place, std::size_t length) {
    const Input part(at(place), at(place + length));
    input_.insert(at(place), part.begin(), part.end());
  }

  // Goes on as another file does.
  void splice(std::size_t place) {
    const Input& other = any_file();
    const auto from = other.begin() + static_cast<std::ptrdiff_t>(below(other.size()));
    input_.erase(at(place), input_.end());
    input_.insert(input_.end(), from, other.end());
  }

  const std::vector<Input>& corpus_;
  std::mt19937_64 random_;
  Input input_;
};

}  // namespace

Input mutation(const std::vector<Input>& corpus, std::uint64_t number) {
  return Mutator(corpus, number).run();
}

}  // namespace keystay::test
