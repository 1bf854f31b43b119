import Foundation

/// The effective properties of a systemd unit, as `systemctl show` tells them, and the files that they come from.
struct UnitProperties: Sendable {
  /// The unit's name, such as conversiond.service.
  let unit: String
  private let values: [String: String]
  /// The unit's file and its drop-ins, in the order in which systemd reads them.
  private let files: [UnitFile]

  init(unit: String, values: [String: String], files: [UnitFile]) {
    (self.unit, self.values, self.files) = (unit, values, files)
  }

  /// Reads the lines that `systemctl show` prints: a name, =, and a value each.
  static func values(shown text: String) -> [String: String] {
    let pairs = text.split(separator: "\n").compactMap { line -> (String, String)? in
      guard let sign = line.firstIndex(of: "=") else { return nil }
      return (String(line[..<sign]), String(line[sign...].dropFirst()))
    }
    return Dictionary(pairs) { $1 }
  }

  /// A property's value; nil where this systemd has no such property.
  subscript(name: String) -> String? { values[name] }

  var isLoaded: Bool { self["LoadState"] == "loaded" }

  /// The words of a property that is a list.
  func list(_ name: String) -> [String] {
    (self[name] ?? "").split(separator: " ").map { $0.trimmingCharacters(in: ["\""]) }
  }

  /// The drop-in that sets a property; nil where only the unit's own file does, or none.
  func dropIn(setting name: String) -> String? { files.dropFirst().last { $0.sets(name) }?.path }

  /// The credentials that the unit hands over, with the file that each is of, or "" where it is of none.
  ///
  /// Read from the unit's files: no version of `systemctl show` prints them.
  var credentials: [String: String] {
    var found: [String: String] = [:]
    for setting in ["ImportCredential", "SetCredential", "SetCredentialEncrypted"] {
      for value in UnitFile.values(of: setting, in: files) { found[String(value.prefix { $0 != ":" })] = "" }
    }
    for setting in ["LoadCredential", "LoadCredentialEncrypted"] {
      for value in UnitFile.values(of: setting, in: files) {
        let parts = value.split(separator: ":", maxSplits: 1)
        let path = parts.count == 2 ? String(parts[1]).replacing("%i", with: instance) : ""
        // A relative one is a credential of the system's.
        found[String(parts[0])] = path.hasPrefix("/") ? path : ""
      }
    }
    return found
  }

  /// The key's file that is handed over as it is; an encrypted one is no key to anyone else.
  var keyFile: String? {
    let isPlain = UnitFile.values(of: "LoadCredential", in: files).contains { $0.hasPrefix("api-key:/") }
    return isPlain ? credentials["api-key"] : nil
  }

  /// The configuration that the unit's command names.
  var configurationFile: String {
    let shown = self["ExecStart"] ?? ""
    let start = shown.firstRange(of: "argv[]=")?.upperBound ?? shown.startIndex
    let words = shown[start...].prefix { $0 != ";" }.split(separator: " ").map(String.init)
    for (word, next) in zip(words, words.dropFirst() + [""]) {
      if word == "--config" { return next }
      if word.hasPrefix("--config=") { return String(word.dropFirst(9)) }
      if word == "--instance" { return "/etc/conversiond/\(next).yaml" }
    }
    return "/etc/conversiond/conversiond.yaml"
  }

  /// The folders that systemd makes for the unit, and lets it write to.
  var stateFolders: [String] { list("StateDirectory").map { "/var/lib/" + $0.prefix { $0 != ":" } } }

  /// True if the unit's daemon has this configuration, or a ledger in the unit's own folder.
  func serves(configuration: String, ledger: String) -> Bool {
    let path = URL(fileURLWithPath: configuration).standardizedFileURL.path
    return path == configurationFile || stateFolders.contains { ledger.hasPrefix($0 + "/") }
  }

  private var instance: String {
    guard let at = unit.firstIndex(of: "@"), let dot = unit.lastIndex(of: ".") else { return "" }
    return String(unit[unit.index(after: at)..<dot])
  }
}

extension UnitProperties {
  /// A size in bytes; nil where it is infinity, or none.
  func bytes(_ name: String) -> UInt64? { self[name].flatMap { UInt64($0) } }

  /// A time such as "1min 30s"; nil where it is infinity, or none.
  func span(_ name: String) -> Duration? {
    guard let text = self[name], !text.isEmpty, text != "infinity" else { return nil }
    var sum = Duration.zero
    for word in text.split(separator: " ") {
      let digits = word.prefix { $0.isNumber || $0 == "." }
      guard let number = Double(digits), let unit = Self.units[String(word.dropFirst(digits.count))] else { return nil }
      sum += .seconds(number * unit)
    }
    return sum
  }

  /// The units of time that systemd prints, in seconds (systemd.time(7)).
  private static let units: [String: Double] = [
    "": 1, "us": 1e-6, "ms": 1e-3, "s": 1, "min": 60, "h": 3600, "d": 86_400, "w": 604_800, "month": 2_629_800,
    "y": 31_557_600,
  ]
}
