/// A key that the schema does not know, and the one that was probably meant.
struct UnknownKey {
  /// The path of the key or section that was meant.
  private(set) var meant: String?
  private(set) var message: String

  init(name: String, section: String) {
    let shown = Shown.text(name)
    message = "unknown key \"\(shown)\"" + (section.isEmpty ? "" : " in \(section)")
    if section == "api", ["key", "apikey", "token", "secret"].contains(name.lowercased().filter { $0.isLetter }) {
      message += "; the API key has a file of its own, which key_file names"
      return
    }
    let here = Self.names(in: section)
    let prefix = section.isEmpty ? "" : "\(section)."
    if let sections = Self.sections(of: name) {
      message += "; it belongs under \(sections[0]):"
      meant = "\(sections[0]).\(name)"
    } else if let near = Suggestion.closest(to: name, among: here) {
      message += "; did you mean \"\(near)\"?"
      meant = prefix + near
    } else if let near = Suggestion.closest(to: name, among: Schema.keys.map(\.name)),
      let sections = Self.sections(of: near)
    {
      message += "; did you mean \"\(near)\" under \(sections[0]):?"
      meant = "\(sections[0]).\(near)"
    } else {
      message += "; known here: \(here.joined(separator: ", "))"
    }
  }

  /// Returns the keys and sections directly in a section.
  private static func names(in section: String) -> [String] {
    let sections = Schema.sections.filter { path in
      section.isEmpty ? !path.contains(".") : path.hasPrefix("\(section).")
    }
    let names = sections.map { $0.split(separator: ".").last.map(String.init) ?? $0 }
    return Schema.keys.filter { $0.section == section }.map(\.name) + names
  }

  /// Returns the sections that have a key of just this name.
  private static func sections(of name: String) -> [String]? {
    let sections = Schema.keys.filter { $0.name == name }.map(\.section)
    return sections.isEmpty ? nil : sections
  }
}
