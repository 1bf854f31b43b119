/// The example configuration that is installed on a host, with every key in it.
///
/// It is written from the schema, so that the file, the reader and the defaults cannot disagree.
public enum ExampleFile {
  /// The text of `config/conversiond.yaml`. As it stands it is a valid configuration of a home-made shop; each
  /// commented key shows its default.
  public static var text: String {
    var lines = introduction.split(separator: "\n", omittingEmptySubsequences: false).map { "# \($0)".trimmed }
    var open: [String] = []
    for key in Schema.keys {
      let section = key.section.split(separator: ".").map(String.init)
      // A section's heading stands where its first key is; after an inner section the outer one just goes on.
      let headings = section.enumerated().filter { depth, name in depth >= open.count || open[depth] != name }
      lines.append("")
      lines += headings.map { depth, name in indent(depth) + "\(name):" }
      open = section
      lines += entry(key).map { (indent(section.count) + $0).trimmed }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static let introduction = """
    conversiond.yaml: which orders are conversions, and how they are reported.

    The keys without # are an example: a shop with a table of its own. Make them yours; the rest have the
    defaults shown behind #. After a change: conversiond check, then systemctl reload conversiond.
    Every mistake is reported with its line. Durations are whole numbers of ms, s, m, h or d. The file is
    readable by all and holds no secret.
    """

  private static func entry(_ key: SchemaKey) -> [String] {
    var lines = key.documentation.split(separator: "\n").map { "# \($0)" }
    if let allowed = key.allowed { lines.append("# Allowed: \(allowed).") }
    switch key.presence {
    case .required(let example): lines += ["# Required.", "\(key.name): \(example)"]
    case .mapped(let example): lines += ["# Default: null.", "\(key.name): \(example)"]
    case .optional(let value): lines.append("#\(key.name): \(value)")
    }
    return lines
  }

  private static func indent(_ depth: Int) -> String { String(repeating: "  ", count: depth) }
}

extension String {
  /// The text without white space at its end.
  fileprivate var trimmed: String {
    var text = self
    while text.last == " " { text.removeLast() }
    return text
  }
}
