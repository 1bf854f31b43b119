/// Masks the parts of a path or query that a log must not show: e-mail addresses (`a***@example.com`) and API keys.
enum TargetMask {
  static func masked(_ target: String) -> String {
    var result = ""
    var token = ""
    for character in target {
      if "/?&=".contains(character) {
        result += mask(token)
        result.append(character)
        token = ""
      } else {
        token.append(character)
      }
    }
    return result + mask(token)
  }

  private static func mask(_ token: String) -> String {
    // Takes text that can't be decoded as it is.
    let text = PercentCoding.decoded(token[...], plusIsSpace: true) ?? token
    if text.lowercased().contains("oft_") { return "oft_***" }
    guard let at = text.lastIndex(of: "@") else { return token }
    let first = text.first.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? String($0) : "" } ?? ""
    let domain = text[text.index(after: at)...].map { character in
      character.isASCII && (character.isLetter || character.isNumber || character == "." || character == "-")
        ? character : "?"
    }
    return "\(first)***@\(String(domain))"
  }
}
