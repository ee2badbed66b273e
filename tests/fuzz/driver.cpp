// Runs a fuzz target where libFuzzer is not at hand: on every file of a corpus, then on mutations of them.
//
//   fuzz-NAME CORPUS [COUNT [FIRST]]     mutations number FIRST, FIRST+1, … of the corpus; the first is 0
//   fuzz-NAME FILE                       one input
//
// An input that makes the target fail is written to the file "fuzz-failure" in the current directory.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/mutation.h"

// Of the sanitizers' runtime, which is not always there.
extern "C" [[gnu::weak]] void __sanitizer_set_death_callback(void (*callback)());

namespace keystay::test {
namespace {

const Input* current = nullptr;

// Called when the target is dying: only system calls.
void save_current() {
  const int file = ::open("fuzz-failure", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0 || !current) return;
  static_cast<void>(::write(file, current->data(), current->size()) < 0);
  ::close(file);
}

void save_and_die(int signal_number) {
  save_current();
  ::signal(signal_number, SIG_DFL);
  ::raise(signal_number);
}

void save_what_fails() {
  if (__sanitizer_set_death_callback) __sanitizer_set_death_callback(save_current);
  ::signal(SIGABRT, save_and_die);
  if (!__sanitizer_set_death_callback) ::signal(SIGSEGV, save_and_die);
}

void run(const Input& input) {
  current = &input;
  LLVMFuzzerTestOneInput(input.data(), input.size());
}

Input read(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw std::runtime_error("cannot read " + file.string());
  return Input(std::istreambuf_iterator<char>(stream), {});
}

// In the order of their names, so that a number always means the same mutation.
std::vector<Input> read_corpus(const std::filesystem::path& place) {
  if (!std::filesystem::is_directory(place)) return {read(place)};
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(place)) files.push_back(entry.path());
  std::ranges::sort(files);
  std::vector<Input> corpus;
  for (const auto& file : files) corpus.push_back(read(file));
  if (corpus.empty()) throw std::runtime_error("there is nothing in " + place.string());
  return corpus;
}

int main_of(int argc, char** argv) {
  if (argc < 2 || argc > 4) {
    std::cerr << "usage: " << argv[0] << " CORPUS [COUNT [FIRST]]\n";
    return 2;
  }
  const std::vector<Input> corpus = read_corpus(argv[1]);
  const std::uint64_t count = argc > 2 ? std::stoull(argv[2]) : 0;
  const std::uint64_t first = argc > 3 ? std::stoull(argv[3]) : 0;
  save_what_fails();
  for (const Input& input : corpus) run(input);
  for (std::uint64_t number = first; number < first + count; ++number) run(mutation(corpus, number));
  std::cout << corpus.size() << " files and " << count << " mutations of them\n";
  return 0;
}

}  // namespace
}  // namespace keystay::test

int main(int argc, char** argv) {
  try {
    return keystay::test::main_of(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << argv[0] << ": " << error.what() << '\n';
    return 1;
  }
}
