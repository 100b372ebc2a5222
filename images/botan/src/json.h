// Flat JSON objects of texts and numbers, one a line: all that this program is asked in.
#pragma once

#include <cstdint>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>

class Asked {
 public:
  explicit Asked(const std::string& line) : text_(line) {
    expect('{');
    if (peek() == '}') return;
    do {
      const std::string name = string();
      expect(':');
      values_[name] = peek() == '"' ? string() : number();
    } while (take(','));
    expect('}');
  }

  std::string text(const std::string& name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? "" : found->second;
  }

  int64_t number(const std::string& name) const {
    const std::string found = text(name);
    return found.empty() ? 0 : std::stoll(found);
  }

 private:
  char peek() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
    if (at_ >= text_.size()) throw std::runtime_error("a question is cut short");
    return text_[at_];
  }

  bool take(char wanted) {
    if (peek() != wanted) return false;
    ++at_;
    return true;
  }

  void expect(char wanted) {
    if (!take(wanted)) throw std::runtime_error(std::string("a question lacks ") + wanted);
  }

  std::string string() {
    std::string found;
    expect('"');
    while (at_ < text_.size() && text_[at_] != '"') {
      char next = text_[at_++];
      if (next == '\\' && at_ < text_.size()) {
        next = text_[at_++];
        if (next == 'n') next = '\n';
        else if (next == 't') next = '\t';
        else if (next == 'r') next = '\r';
        else if (next == 'u') throw std::runtime_error("a question holds a character that is not ASCII");
      }
      found += next;
    }
    expect('"');
    return found;
  }

  std::string number() {
    const auto end = text_.find_first_not_of("-0123456789", at_);
    const std::string found = text_.substr(at_, end - at_);
    if (found.empty()) throw std::runtime_error("a question holds neither a text nor a number");
    at_ = end;
    return found;
  }

  const std::string text_;
  size_t at_ = 0;
  std::map<std::string, std::string> values_;
};

inline std::string quoted(const std::string& text) {
  std::ostringstream out;
  out << '"';
  for (const char one : text) {
    if (one == '"' || one == '\\') out << '\\' << one;
    else if (static_cast<unsigned char>(one) < ' ') out << ' ';
    else out << one;
  }
  out << '"';
  return out.str();
}
