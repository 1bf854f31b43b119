import Conversions

/// A rule of the daemon's unit: a property, and the words for a value with which the daemon would not do its work.
struct UnitRule: Sendable {
  /// A value's judgement, in words that go on from the property's name.
  struct Finding: Sendable {
    var verdict: CheckLine.Verdict
    var message: String
    var advice: String

    init(_ verdict: CheckLine.Verdict, _ message: String, _ advice: String) {
      (self.verdict, self.message, self.advice) = (verdict, message, advice)
    }
  }

  /// The property, as `systemctl show` names it. One that this systemd doesn't have is not judged.
  let property: String
  let judge: @Sendable (_ value: String, UnitProperties, UnitCircumstances) -> Finding?

  init(
    _ property: String, _ judge: @escaping @Sendable (String, UnitProperties, UnitCircumstances) -> Finding?
  ) {
    (self.property, self.judge) = (property, judge)
  }

  /// Applies the rule; nil where the value is right.
  func line(_ unit: UnitProperties, _ circumstances: UnitCircumstances) -> CheckLine? {
    guard let value = unit[property], let finding = judge(value, unit, circumstances) else { return nil }
    let subject = value == "[unprintable]" ? property : "\(property)=\(value.prefix(60))"
    let place = unit.dropIn(setting: property).map { " (set by \($0))" } ?? ""
    return CheckLine(finding.verdict, "unit", "\(subject)\(place): \(finding.message)", advice: finding.advice)
  }
}

/// The parts of the host and of the configuration that the unit's rules ask about.
struct UnitCircumstances: Sendable {
  /// A host that the daemon talks to, and all addresses of it.
  struct Peer: Sendable {
    var name: String
    var addresses: [IPAddress]
  }

  /// The folder of the ledger, without links in its path.
  var ledgerFolder: String
  /// True if the unit's user exists.
  var userExists = true
  /// The credentials' files that aren't there.
  var missingFiles: Set<String> = []
  var peers: [Peer] = []
}
