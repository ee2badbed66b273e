// What follows the equals sign of a -ext, in the words of libcrypto (x509v3_config(5)).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace keystay::x509 {

// keytool's word for something, and libcrypto's.
struct Word {
  const char* keytool;
  const char* openssl;
};

// keytool lets the beginning of a word stand for it, or its humps: "dig", "dS" and "ds" are digitalSignature.
// Null if it is none of them, or may be several.
[[nodiscard]] const Word* find_word(const std::string& word, std::span<const Word> words);
// The same; throws Error that lists them. `text` is the whole extension, for messages.
[[nodiscard]] const Word& require_word(std::string_view text, const std::string& word,
                                       std::span<const Word> words);

// Throws Error about an extension.
[[noreturn]] void fail_extension(std::string_view text, const std::string& what);

// "1.3.6.1.4.1.99999".
[[nodiscard]] bool is_oid(const std::string& text);

// At commas.
[[nodiscard]] std::vector<std::string> split_list(std::string_view list);

// All of these take the whole extension, for messages, and its value. They throw Error.
[[nodiscard]] std::string general_names(std::string_view text, std::string_view value);
[[nodiscard]] std::string key_usages(std::string_view text, std::string_view value);
[[nodiscard]] std::string extended_key_usages(std::string_view text, std::string_view value);
[[nodiscard]] std::string basic_constraints(std::string_view text, std::string_view value);
// "ocsp:uri:http://…,caIssuers:uri:…" (RFC 5280, section 4.2.2).
[[nodiscard]] std::string access_descriptions(std::string_view text, std::string_view value);

}  // namespace keystay::x509
