public import Conversions
import Logging

/// Takes note of the rules with which a run of the daemon begins: where they are others than those by which the
/// ledger's orders were decided, every order that was never sent is decided anew.
public enum RulesUpdate {
  /// Begins a run with rules; to be called before the loops start, and before anything of an earlier run is forgotten.
  ///
  /// - Parameters:
  ///   - ledger: The ledger.
  ///   - rules: The rules.
  ///   - mapping: All that decides which rows are orders, and how they are read.
  ///   - now: Wall-clock time.
  /// - Throws: `LedgerFailure`, or `CancellationError`.
  public static func begin(
    _ ledger: any LedgerStore, rules: AttributionRules, mapping: String, now: Timestamp
  ) async throws {
    try await ledger.transaction { transaction in
      var inForce = try transaction.rulesInForce()
      let before = inForce
      let hasBegun = inForce.begin(
        digest: rules.digest, mapping: Self.digest(mapping + rules.reach),
        amounts: "\(rules.amounts.unit.rawValue) \(rules.amounts.rounding.rawValue)", now: now,
        aliveAt: try transaction.mirrorProgress().lastAnswerAt)
      // Makes the table be read again: of old orders that no referral matched only a count is left.
      if hasBegun, inForce.change?.needsWalk == true { try transaction.removeRanges() }
      if hasBegun, try transaction.openedByRules() == 0 { inForce.holds = nil }
      if inForce != before { try transaction.setRulesInForce(inForce) }
    }
  }

  private static func digest(_ text: String) -> String {
    var digest = ContentDigest()
    digest.combine(text)
    return String(UInt64(bitPattern: digest.bits), radix: 16)
  }
}

extension AttributionRules {
  /// The rules that decide whether an order is too old to be kept, as text.
  fileprivate var reach: String {
    "\n\(keys.map(\.rawValue).joined(separator: ",")) \(attributionWindow) \(waitForReferral)"
  }

  /// The rules in a few characters: any other rules have others.
  var digest: String {
    var digest = ContentDigest()
    let parts: [String] = [
      keys.map(\.rawValue).joined(separator: ","), choose.rawValue, "\(attributionWindow)", "\(waitForReferral)",
      selfReferral.rawValue, "\(hold)", amounts.unit.rawValue, amounts.rounding.rawValue,
      amounts.otherCurrency.rawValue,
    ]
    for part in parts { digest.combine(part) }
    return String(UInt64(bitPattern: digest.bits), radix: 16)
  }
}

/// The end of a change of the rules.
struct RulesUpdateEnd: Sendable {
  let change: RulesChange
  /// Number of orders that this change, and earlier ones, made sendable.
  let opened: Int
  /// True if an earlier change left orders that an operator has yet to release.
  let wasHeld: Bool

  /// True if an operator must release them.
  var isHeld: Bool { opened > (wasHeld || change.revalued != nil ? 0 : RulesChange.openedMax) }

  func log(to log: Logger) {
    // Counts those that another mapping finds a referral for only once their rows were read by it, behind the others.
    let reading = change.needsWalk ? ", and then every row was read anew" : ""
    let counts =
      "\(change.decided) orders that were never sent were decided anew, \(change.changed) of them otherwise"
      + (change.revalued.map { ", \($0) with another amount" } ?? "") + reading
    guard isHeld else {
      let words = opened > 0 ? "; \(opened) became sendable\(change.needsWalk ? " by all of that" : "")" : ""
      return log.event(.rulesChanged, .notice, "the rules changed: \(counts)\(words)", ["reason": "rules_changed"])
    }
    log.event(
      .rulesChanged, .error,
      "the rules changed: \(counts); \(opened) became sendable, by all of that or by an earlier change, and are held "
        + "until they are released: conversiond queue list --state held --reason rules_changed, then conversiond queue release "
        + "ALL --reason rules_changed --yes",
      ["reason": "rules_changed"])
  }
}

extension RulesUpdate {
  /// Notes how far a change of the rules has come.
  static func advance(over orders: [LedgerOrder], _ decided: [Decided], _ ledger: any LedgerTransaction) throws {
    var rules = try ledger.rulesInForce()
    rules.change?.after = orders.last?.entry
    rules.change?.decided += decided.count
    rules.change?.changed += decided.count(where: \.isOther)
    let revalued = zip(orders, decided).count { order, decided in
      decided.decision.reason == DecisionReason.rulesChanged && decided.decision.revalues(order.valueToSend)
    }
    let before = rules.change?.revalued ?? 0
    if revalued > 0 { rules.change?.revalued = before + revalued }
    try ledger.setRulesInForce(rules)
  }

  /// Ends a change of the rules that is complete: every order was decided anew, and the shop's table read to its end
  /// where that could bring others. A few orders that it made sendable go on.
  ///
  /// - Returns: The end of the change; nil if there is no change, or it has not ended yet.
  static func end(_ ledger: any LedgerTransaction) throws -> RulesUpdateEnd? {
    var rules = try ledger.rulesInForce()
    guard let change = rules.change, change.after == nil else { return nil }
    if change.needsWalk, try ledger.intakeProgress().lastWalkAt == nil { return nil }
    let end = RulesUpdateEnd(change: change, opened: try ledger.openedByRules(), wasHeld: rules.holds == true)
    (rules.change, rules.holds) = (nil, end.isHeld)
    try ledger.setRulesInForce(rules)
    if !end.isHeld { _ = try ledger.releaseOpenedByRules(nil) }
    return end
  }
}
