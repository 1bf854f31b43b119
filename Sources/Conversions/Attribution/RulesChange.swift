/// Rules by which the ledger's orders were decided, and the change of them that is being carried out.
public struct RulesInForce: Hashable, Sendable, Codable {
  /// The rules in a few characters; nil before the first start.
  public var digest: String?
  /// The mapping and the rules' reach in a few characters: a change makes rows count that the ledger does not hold.
  public var mapping: String?
  /// The rules by which a total becomes cents, as text; nil before the first start.
  public var amounts: String?
  /// The change that is being carried out; nil for none.
  public var change: RulesChange?
  /// True if the last change left orders for an operator to release: a later one must not send those.
  public var holds: Bool?

  /// Begins before the first start.
  public init() {}

  /// Takes note of the rules with which a run of the daemon begins.
  ///
  /// - Parameters:
  ///   - digest: The rules in a few characters.
  ///   - mapping: The mapping and the rules' reach in a few characters.
  ///   - amounts: The rules by which a total becomes cents, as text.
  ///   - now: Wall-clock time.
  ///   - aliveAt: The last time at which an earlier run is known to have been at work.
  /// - Returns: True if every order that was never sent has to be decided anew.
  public mutating func begin(
    digest: String, mapping: String, amounts: String, now: Timestamp, aliveAt: Timestamp?
  ) -> Bool {
    defer { (self.digest, self.mapping, self.amounts) = (digest, mapping, amounts) }
    guard self.digest != nil, self.digest != digest || self.mapping != mapping else { return false }
    let needsWalk = self.mapping != mapping || change?.needsWalk == true
    let changesAmounts = self.amounts.map { $0 != amounts } ?? false || change?.changesAmounts == true
    // Keeps what a change that is not over yet has revalued: its orders would else be sent with the other amount.
    let revalued = change?.revalued
    change = RulesChange(beganAt: now, aliveAt: aliveAt, needsWalk: needsWalk)
    change?.revalued = revalued
    change?.changesAmounts = changesAmounts ? true : nil
    return true
  }
}

/// A change of the rules, carried out in batches: every order that was never sent is decided anew.
///
/// Orders that it makes sendable are held back until it is complete. If they are more than a few they stay so until
/// an operator releases them: a hold deleted by mistake would else send weeks of orders, and no report is taken back.
public struct RulesChange: Hashable, Sendable, Codable {
  /// The most orders that a change makes sendable without a release by an operator.
  public static let openedMax = 20
  /// The time before `aliveAt` within which a new order may have been placed and not been seen.
  private static let unseenMax = Duration.seconds(900)

  /// The time at which it began.
  public var beganAt: Timestamp
  /// The last time at which an earlier run is known to have been at work; orders placed later are new by themselves.
  public var aliveAt: Timestamp?
  /// True if the shop's table must be read to its end under the new mapping before the change is complete.
  public var needsWalk: Bool
  /// The last entry that was decided anew; nil once all were.
  public var after: EntryID? = EntryID(0)
  /// Orders that were decided anew.
  public var decided = 0
  /// True if totals become other values; nil where not.
  public var changesAmounts: Bool?
  /// Orders among them that would be sent with another value than before: a single one waits for an operator's eye, as
  /// a unit that is wrong is wrong by a hundredfold. Nil for none.
  public var revalued: Int?
  /// Orders among them that came to another outcome.
  public var changed = 0

  /// Makes a change that begins.
  public init(beganAt: Timestamp, aliveAt: Timestamp?, needsWalk: Bool) {
    (self.beganAt, self.aliveAt, self.needsWalk) = (beganAt, aliveAt, needsWalk)
  }

  /// True if an order of the ledger, should it be sendable now, is so by this change.
  public func opens(_ order: LedgerOrder, now: Timestamp) -> Bool {
    guard order.outcome != .queued, let placed = order.order?.placedAt else { return false }
    // A hold that ended by itself while the daemon was stopped is no change; a due time of 0 asks for a decision at
    // once.
    if order.outcome == .held, order.reason == DecisionReason.hold, let dueAt = order.dueAt, dueAt.microseconds > 0,
      dueAt <= now
    {
      return false
    }
    return placed.latest <= beganAt
  }

  /// True if it is by this change that the ledger meets an order that it never met.
  public func opens(new row: OrderRow) -> Bool {
    guard needsWalk, let aliveAt, case .readable(let order) = row else { return false }
    return order.placedAt.latest < aliveAt - Self.unseenMax
  }
}
