/// Checks the unit that runs the daemon: a pure function of its properties, by tables of rules.
enum UnitCheck {
  static let rules = UnitStartRules.all + UnitReachRules.all

  /// All properties that the rules are about, to be asked for at once.
  static var propertyNames: [String] {
    let others = [
      "LoadState", "FragmentPath", "DropInPaths", "ExecStart", "StateDirectory", "PrivateTmp", "ReadWritePaths",
      "ReadOnlyPaths", "InaccessiblePaths", "BindPaths", "TemporaryFileSystem", "IPAddressAllow", "SystemCallFilter",
    ]
    return Set(rules.map(\.property) + UnitSandbox.strict.map(\.property) + others).sorted()
  }

  /// The lines about a unit that was asked for; one that says so where there is none.
  static func lines(
    _ reading: ServiceUnit.Reading, configuration: String, ledger: String,
    circumstances: (UnitProperties) -> UnitCircumstances
  ) -> [CheckLine] {
    switch reading {
    case .noSystemd: return [CheckLine(.ok, "unit", "skipped: systemd does not run here")]
    case .silent(let words): return [CheckLine(.ok, "unit", "skipped: systemd gives no answer: \(words)")]
    case .properties(let unit):
      guard unit.isLoaded else { return [notLoaded(unit)] }
      guard unit.serves(configuration: configuration, ledger: ledger) else {
        return [
          CheckLine(.ok, "unit", "skipped: \(unit.unit) runs \(unit.configurationFile), and not \(configuration)")
        ]
      }
      return lines(unit, circumstances(unit))
    }
  }

  /// The lines about a unit that is loaded.
  static func lines(_ unit: UnitProperties, _ circumstances: UnitCircumstances) -> [CheckLine] {
    let found = rules.compactMap { $0.line(unit, circumstances) } + UnitSandbox.lines(unit)
    guard found.isEmpty else { return found }
    return [CheckLine(.ok, "unit", "\(unit.unit) has the settings that the daemon needs")]
  }

  private static func notLoaded(_ unit: UnitProperties) -> CheckLine {
    switch unit["LoadState"] {
    case "masked":
      CheckLine(.fail, "unit", "\(unit.unit) is masked: it can't be started", advice: "systemctl unmask \(unit.unit)")
    case "not-found", "stub", nil: CheckLine(.ok, "unit", "skipped: systemd knows no \(unit.unit)")
    default:
      CheckLine(
        .fail, "unit", "systemd can't load \(unit.unit): \(unit["LoadState"] ?? "")",
        advice: "systemctl status \(unit.unit) says why")
    }
  }
}
