import Conversions
import Ledger
import Synchronization
import TestHosts

@testable import Pipeline

extension Simulation {
  /// Checks a report at the moment in which it is about to leave.
  func check(_ report: ConversionReport, _ store: SimulatedLedger) async {
    let id = report.transactionID.text
    note("\(clock.uptime) \(id) \(report.referralID) \(report.value ?? -1)\n")
    let found = try? await store.transaction { transaction in
      try transaction.entries(EntryFilter(outcomes: [.sending], limit: 1000)).first { $0.orderID == id }
    }
    // The life may have ended while the ledger was asked.
    guard !store.life.isOver else { return }
    guard let order = found else { return api.model.violate("\(id) is sent and not marked as being sent") }
    // One whose send was marked as the clock was set is on its way.
    if order.frozen?.hasUnknownOutcome != true, let wrongFor, wrongFor > .seconds(60) {
      api.model.violate("\(id) is sent for the first time by a clock that is wrong")
    }
    if order.frozen?.report != report { api.model.violate("\(id) is sent with other bytes than were frozen") }
    let row = shop.state.withLock { $0.shown.removeValue(forKey: id) }
    guard case .readable(let shown)? = row else { return api.model.violate("\(id) is sent without a re-read") }
    if !shown.qualifies { api.model.violate("\(id) is sent although it does not qualify") }
    if order.frozen?.hasUnknownOutcome != true, report.value != shown.total.amountText.flatMap({ Int64($0) }) {
      api.model.violate("\(id) is sent with another value than it has")
    }
  }

  /// Counts the orders that are still under way.
  func unfinished() throws -> Int {
    try look { try $0.outcomeCounts() }.filter { [.queued, .sending, .held].contains($0.outcome) }.map(\.count)
      .reduce(0, +)
  }

  /// Compares what the ledger says with what the API and the shop know.
  func judge() throws {
    let orders = try look { try $0.entries(EntryFilter(outcomes: Outcome.allCases, limit: 100_000)) }
    let byID = Dictionary(uniqueKeysWithValues: orders.map { ($0.orderID, $0) })
    for order in orders { note("\(order.orderID) \(order.outcome.rawValue) \(order.reason ?? "-")\n") }
    let model = api.model.state.withLock { $0 }
    var found = model.violations
    for order in orders where [.queued, .sending].contains(order.outcome) {
      found.append(
        "\(order.orderID) is still \(order.outcome.rawValue): \(order.reason ?? "-"), \(order.detail ?? "-")")
    }
    found += doneAndSaid(byID, model)
    found += missed(byID, model)
    found += refusals()
    if !found.isEmpty { throw Violation(description: "seed \(seed): " + found.joined(separator: "; ")) }
  }

  /// Finds reports that were done and are not said to be done, and those that are said to be done and were not.
  private func doneAndSaid(_ orders: [String: LedgerOrder], _ model: ModelAPI.State) -> [String] {
    var found: [String] = []
    for report in model.done {
      let id = report.transactionID.text
      guard let order = orders[id] else {
        found.append("\(id) was done and is not in the ledger")
        continue
      }
      if order.outcome != .reported || order.frozen?.report != report {
        found.append("\(id) was done and is \(order.outcome.rawValue): \(order.reason ?? "-")")
      }
      if let best = rightful(order, model), best != report.referralID.text {
        found.append("\(id) was done for \(report.referralID) and not for \(best)")
      }
    }
    let done = Set(model.done.map(\.transactionID.text))
    for order in orders.values where order.outcome == .reported && !done.contains(order.orderID) {
      found.append("\(order.orderID) is called reported and was not done")
    }
    if done.count != model.done.count { found.append("an order was done twice") }
    return found
  }

  /// The referral that an order must have been reported for, where nothing about that was ever in doubt.
  private func rightful(_ order: LedgerOrder, _ model: ModelAPI.State) -> String? {
    guard let row = order.order, let friend = plan.friends.first(where: { $0.email == row.email?.text }) else {
      return nil
    }
    // Keys that came later make it a question of time.
    guard friend.firm.count == friend.referrals.count else { return nil }
    return chosen(row, model)?.id.text
  }

  /// Finds orders that qualify, have a referral that is still open, and are neither reported nor left to a person.
  private func missed(_ orders: [String: LedgerOrder], _ model: ModelAPI.State) -> [String] {
    var found: [String] = []
    let done = Set(model.done.map(\.transactionID.text))
    let now = clock.trueTime
    for row in shop.state.withLock({ Array($0.rows.values) }) {
      guard case .readable(let order) = row, order.qualifies, !done.contains(row.orderID) else { continue }
      guard let chosen = chosen(order, model), [.pending, .clicked].contains(chosen.status) else { continue }
      let known = orders[row.orderID]
      // Of so few orders three removed rows are many: an order that is looked for keeps its referral for seven days.
      if orders.values.contains(where: { $0.reason == DecisionReason.rowMissing && $0.referralID == chosen.id }) {
        continue
      }
      // An earlier referral whose e-mail came later than the decision that is final.
      if known?.outcome == .superseded, !isFirm(order) { continue }
      if known?.outcome == .review || known?.outcome == .held && order.placedAt.latest + plan.hold > now { continue }
      found.append(
        "\(row.orderID) was missed: \(chosen.id) is \(chosen.status.rawValue), and it is \(known?.outcome.rawValue ?? "never seen"), \(known?.reason ?? "-")"
      )
    }
    return found
  }

  /// Returns true if all that its friend's referrals can be matched by was there from their beginning.
  private func isFirm(_ order: Order) -> Bool {
    plan.friends.contains { $0.email == order.email?.text && $0.firm.count == $0.referrals.count }
  }

  /// By external source ID, then by e-mail, the first or the last.
  private func chosen(_ order: Order, _ model: ModelAPI.State) -> Referral? {
    let before = model.table.referrals.values.filter { $0.createdAt <= order.placedAt.latest }
    let byExternal = before.filter { $0.externalSourceID != nil && $0.externalSourceID == order.externalSourceID?.text }
    let byEmail = before.filter { $0.friendEmail != nil && $0.friendEmail == order.email?.text }
    let matching = byExternal.isEmpty ? byEmail : byExternal
    let inOrder = matching.sorted { ($0.createdAt, $0.id) < ($1.createdAt, $1.id) }
    return plan.choose == .first ? inOrder.first : inOrder.last
  }

  /// The limits are met in advance.
  private func refusals() -> [String] {
    let refused = api.state.withLock { $0.refused }
    let most = [.fixedWindow, .slidingLog, .fullBucket].contains(plan.shape) ? 0 : 3
    return refused > most ? ["\(refused) refusals by a \(plan.shape.rawValue)"] : []
  }
}
