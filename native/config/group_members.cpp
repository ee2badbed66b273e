#include "native/config/group_members.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "native/config/configuration.h"
#include "native/config/error.h"
#include "native/config/toml_document.h"

namespace keystay::config {
namespace {

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

// The text of a configuration, with the members of one of its groups. Good for one change.
class GroupText final {
 public:
  GroupText(std::string_view text, const std::filesystem::path& file, std::string_view group)
      : text_(text), file_(file) {
    const Configuration configuration = parse_configuration(text, file);
    const auto found = configuration.groups.find(group);
    if (found == configuration.groups.end())
      throw Error(file.string() + ": there is no section [group." + std::string(group) + "]");
    members_ = found->second.members;
    const std::string_view path[] = {"group", group, "members"};
    place_ = find_array(text_, path, file_).value();  // parse_configuration has read it
  }

  [[nodiscard]] const std::vector<std::string>& members() const { return members_; }
  [[nodiscard]] bool has(const std::string& member) const {
    return std::ranges::find(members_, member) != members_.end();
  }

  void remove(const std::string& member) {
    const auto index = static_cast<std::size_t>(std::ranges::find(members_, member) - members_.begin());
    const TextRange element = place_.elements[index];
    const bool is_last = index + 1 == place_.elements.size();
    const std::size_t next = is_last ? place_.array.end - 1 : place_.elements[index + 1].begin;
    if (const auto comma = find_comma({element.end, next})) {
      erase_both(element, {*comma, *comma + 1});
    } else if (index > 0) {
      const std::size_t before = find_comma({place_.elements[index - 1].end, element.begin}).value();
      erase_both({before, before + 1}, element);
    } else {
      erase_and_tidy(element);
    }
  }

  // Each place gets the text of another element.
  void reorder(const std::vector<std::string>& order) {
    const std::string before = text_;
    for (std::size_t i = order.size(); i-- > 0;) {
      const auto from = static_cast<std::size_t>(std::ranges::find(members_, order[i]) - members_.begin());
      const TextRange source = place_.elements[from];
      const TextRange place = place_.elements[i];
      text_.replace(place.begin, place.end - place.begin, before, source.begin, source.end - source.begin);
    }
  }

  // On a line of its own if the last member has one.
  void append(const std::string& member) {
    const std::string text = "\"" + member + "\"";  // a name of a token needs no escapes
    const TextRange last = place_.elements.back();
    const auto comma = find_comma({last.end, place_.array.end - 1});
    const std::size_t line = line_begin(last.begin);
    const std::size_t end = text_.find('\n', std::max(last.end, comma.value_or(0)));
    if (!is_blank({line, last.begin}) || end >= place_.array.end) {
      text_.insert(last.end, ", " + text);
      return;
    }
    const std::string_view line_end = text_[end - 1] == '\r' ? "\r\n" : "\n";
    text_.insert(
        end + 1,
        text_.substr(line, last.begin - line).append(text).append(comma ? "," : "").append(line_end));
    if (!comma) text_.insert(last.end, ",");
  }

  // The text as it is now, if it is a configuration.
  [[nodiscard]] std::string checked() && {
    try {
      static_cast<void>(parse_configuration(text_, file_));
    } catch (const Error& error) {
      throw Error(std::string("with these members the file would be refused: ") + error.what());
    }
    return std::move(text_);
  }

 private:
  // Between two elements stand blanks, line ends, one comma at most, and comments.
  [[nodiscard]] std::optional<std::size_t> find_comma(TextRange range) const {
    for (std::size_t at = range.begin; at < range.end; ++at) {
      if (text_[at] == '#') at = text_.find('\n', at);
      if (text_[at] == ',') return at;
    }
    return std::nullopt;
  }

  [[nodiscard]] bool is_blank(TextRange range) const {
    return text_.find_first_not_of(" \t\r", range.begin) >= range.end;
  }
  [[nodiscard]] std::size_t line_begin(std::size_t at) const {
    return at == 0 ? 0 : text_.rfind('\n', at - 1) + 1;
  }

  // An element and its comma, in the order of the text; a comment between them stays.
  void erase_both(TextRange first, TextRange second) {
    if (is_blank({first.end, second.begin})) return erase_and_tidy({first.begin, second.end});
    erase_and_tidy(second);
    erase_and_tidy(first);
  }

  // With the blanks behind it if they have no use, or with the line if nothing is left on it.
  void erase_and_tidy(TextRange range) {
    const std::size_t behind = text_.find_first_not_of(" \t", range.end);  // at most the closing bracket
    const bool before_element = std::string_view("\r\n#]").find(text_[behind]) == std::string_view::npos;
    const bool behind_blank = text_[range.begin - 1] == ' ' || text_[range.begin - 1] == '\t';
    text_.erase(range.begin, (before_element || behind_blank ? behind : range.end) - range.begin);
    const std::size_t line = line_begin(range.begin);
    const std::size_t end = text_.find('\n', range.begin);
    if (end != std::string::npos && is_blank({line, end})) text_.erase(line, end + 1 - line);
  }

  std::string text_;
  const std::filesystem::path& file_;
  std::vector<std::string> members_;
  ArrayPlace place_;
};

[[noreturn]] void fail(std::string_view group, const std::string& what) {
  throw Error("group \"" + std::string(group) + "\": " + what);
}

void require_member(const GroupText& text, std::string_view group, const std::string& member) {
  if (!text.has(member)) fail(group, "\"" + member + "\" is no member; they are " + joined(text.members()));
}

// What a bare alias means in `before` it goes on to mean in `after`.
std::string with_default_of(std::string_view before, std::string after, const std::filesystem::path& file) {
  const std::string name = parse_configuration(before, file).default_token;
  if (name.empty() || parse_configuration(after, file).default_token == name) return after;
  return "default = \"" + name + "\"\n" + after;
}

}  // namespace

std::string with_member(std::string_view toml, const std::filesystem::path& file, std::string_view group,
                        const std::string& member) {
  GroupText text(toml, file, group);
  if (text.has(member)) fail(group, "\"" + member + "\" is a member already");
  text.append(member);
  return std::move(text).checked();
}

std::string without_member(std::string_view toml, const std::filesystem::path& file, std::string_view group,
                           const std::string& member) {
  GroupText text(toml, file, group);
  require_member(text, group, member);
  if (text.members().size() == 1)
    fail(group, "\"" + member + "\" is its last member; remove the section from " + file.string());
  text.remove(member);
  return with_default_of(toml, std::move(text).checked(), file);
}

std::string with_order(std::string_view toml, const std::filesystem::path& file, std::string_view group,
                       const std::vector<std::string>& order) {
  GroupText text(toml, file, group);
  for (const std::string& member : order) {
    require_member(text, group, member);
    if (std::ranges::count(order, member) > 1) fail(group, "\"" + member + "\" stands twice in the order");
  }
  for (const std::string& member : text.members()) {
    if (std::ranges::find(order, member) == order.end())
      fail(group, "the order lacks \"" + member + "\"; name each member once: " + joined(text.members()));
  }
  text.reorder(order);
  return std::move(text).checked();
}

}  // namespace keystay::config
