/// The manual page of the configuration file, conversiond.yaml(5), with every key in it.
///
/// Written from the schema, as `ExampleFile` is, so that page, file, reader and defaults cannot disagree.
public enum ManualPage {
  /// The text of `deploy/man/conversiond.yaml.5`, in the man macros of groff_man(7).
  public static var text: String {
    let sections = Schema.sections.flatMap(section)
    return (heading + sections + closing).joined(separator: "\n") + "\n"
  }

  private static let heading = [
    #".TH CONVERSIOND.YAML 5 "" "conversiond" "File formats""#,
    ".SH NAME", #"conversiond.yaml \- which orders are conversions, and how they are reported"#,
    ".SH SYNOPSIS", bold("/etc/conversiond/conversiond.yaml"),
    ".SH DESCRIPTION",
    escaped(
      "YAML, readable by all: the file holds no secret. Every mistake is reported with file, line and column, all at once."
    ),
    escaped("Durations are whole numbers of ms, s, m, h or d. Rates are whole numbers from 1, or unlimited."),
    "After a change:", bold("conversiond check") + ", then", bold("systemctl reload conversiond") + ".",
  ]

  private static let closing = [
    ".SH FILES", ".TP", bold("/etc/conversiond/conversiond.yaml"),
    "The file that is read unless --config names another.",
    ".TP", bold("/etc/conversiond/NAME.yaml"),
    escaped("The file of the instance NAME, whose ledger and key have defaults of their own: INSTANCES in"),
    bold("conversiond") + "(8).",
    ".SH SEE ALSO", bold("conversiond") + "(8)",
  ]

  private static func section(_ name: String) -> [String] {
    [".SH " + name.uppercased()] + Schema.keys.filter { $0.section == name }.flatMap(entry)
  }

  private static func entry(_ key: SchemaKey) -> [String] {
    let preset =
      switch key.presence {
      case .required(let example): "Required; such as \(example)."
      case .mapped(let example): "Default: null; such as \(example)."
      case .optional(let value): "Default: \(value)."
      }
    let words = key.documentation.split(separator: "\n").map(String.init)
    let allowed = key.allowed.map { ["Allowed: \($0)."] } ?? []
    return [".TP", bold(key.path)] + (words + allowed + [preset]).map(escaped)
  }

  private static func bold(_ text: String) -> String { #"\fB"# + escaped(text) + #"\fR"# }

  /// Keeps groff from taking a character for a request, an escape or a hyphen.
  private static func escaped(_ text: String) -> String {
    let plain = text.replacing("\\", with: #"\e"#).replacing("-", with: #"\-"#)
    return plain.hasPrefix(".") || plain.hasPrefix("'") ? #"\&"# + plain : plain
  }
}
