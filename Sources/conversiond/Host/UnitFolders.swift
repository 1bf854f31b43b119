/// The folders that a unit may write to: of all paths that say something about a folder, the longest counts.
struct UnitFolders {
  private let unit: UnitProperties

  init(_ unit: UnitProperties) { self.unit = unit }

  /// Returns the setting that keeps the daemon from writing to a folder, in words; nil where none does.
  func hindrance(at folder: String) -> String? {
    let own = [("StateDirectory", "/var/lib/"), ("RuntimeDirectory", "/run/")]
    var rules: [(path: String, hindrance: String?)] = []
    for path in isolated["ProtectSystem"] ?? [] { rules.append((path, "ProtectSystem=\(unit["ProtectSystem"] ?? "")")) }
    for path in isolated["ProtectHome"] ?? [] { rules.append((path, "ProtectHome=\(unit["ProtectHome"] ?? "")")) }
    for path in isolated["PrivateTmp"] ?? [] { rules.append((path, "PrivateTmp=yes gives it another folder there")) }
    for (name, parent) in own { rules += unit.list(name).map { (parent + $0.prefix { $0 != ":" }, nil) } }
    for name in ["TemporaryFileSystem", "ReadWritePaths", "BindPaths", "ReadOnlyPaths", "InaccessiblePaths"] {
      let isGood = name == "ReadWritePaths" || name == "BindPaths"
      rules += unit.list(name).map { (Self.target($0, isBound: name == "BindPaths"), isGood ? nil : "\(name)=\($0)") }
    }
    let about = rules.filter { $0.path == "/" || folder == $0.path || folder.hasPrefix($0.path + "/") }
    let longest = about.map(\.path.count).max()
    return about.last { $0.path.count == longest }?.hindrance
  }

  /// The paths that settings of one word isolate (systemd.exec(5)).
  private var isolated: [String: [String]] {
    let system =
      switch unit["ProtectSystem"] {
      case "strict": ["/"]
      case "full": ["/usr", "/boot", "/efi", "/etc"]
      case "yes": ["/usr", "/boot", "/efi"]
      default: [String]()
      }
    return [
      "ProtectSystem": system,
      "ProtectHome": ["yes", "read-only", "tmpfs"].contains(unit["ProtectHome"])
        ? ["/home", "/root", "/run/user"] : [],
      "PrivateTmp": unit["PrivateTmp"] == "yes" ? ["/tmp", "/var/tmp"] : [],
    ]
  }

  /// A path without the signs before it, and without what stands behind it: options, or the source of a bind mount.
  private static func target(_ word: String, isBound: Bool) -> String {
    let parts = word.drop { $0 == "-" || $0 == "+" }.split(separator: ":")
    return parts.count > 1 && isBound ? String(parts[1]) : parts.first.map(String.init) ?? "/"
  }
}
