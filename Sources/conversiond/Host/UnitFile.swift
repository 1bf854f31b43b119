/// The settings of a unit's file or drop-in, in the order in which they stand there (systemd.syntax(7)).
struct UnitFile: Sendable {
  let path: String
  let settings: [(name: String, value: String)]

  init(path: String, text: String) {
    self.path = path
    let lines = text.split(separator: "\n").map { $0.drop { $0 == " " || $0 == "\t" } }
      .filter { $0.first != "#" && $0.first != ";" }
    // A line that ends in a backslash goes on in the next one.
    let joined = lines.joined(separator: "\n").replacing("\\\n", with: " ")
    settings = joined.split(separator: "\n").compactMap { line in
      guard let sign = line.firstIndex(of: "="), line.first != "[" else { return nil }
      return (Self.trimmed(line[..<sign]), Self.trimmed(line[line.index(after: sign)...]))
    }
  }

  /// The values that a setting has after all these files: an empty one takes back those before it.
  static func values(of name: String, in files: [UnitFile]) -> [String] {
    files.flatMap(\.settings).filter { $0.name == name }.map(\.value)
      .reduce(into: []) { values, value in
        if value.isEmpty { values = [] } else { values.append(value) }
      }
  }

  /// True if the file sets the property that `systemctl show` calls so.
  func sets(_ property: String) -> Bool {
    var name = property.replacing("USec", with: "Sec")
    // Limits are shown by both of their values.
    if name.hasPrefix("Limit"), name.hasSuffix("Soft") { name.removeLast(4) }
    return settings.contains { $0.name == name }
  }

  private static func trimmed(_ text: Substring) -> String {
    let isSpace = { (letter: Character) in letter == " " || letter == "\t" }
    let end = text.lastIndex { !isSpace($0) }
    return end.map { String(text[...$0].drop(while: isSpace)) } ?? ""
  }
}
