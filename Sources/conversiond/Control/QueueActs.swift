import Conversions
import Foundation
import Ledger
import Logging
import Pipeline

/// An operator's act on orders, as a command asks for it.
struct ActRequest: Codable, Hashable, Sendable {
  enum Kind: String, Codable, Sendable { case release, hold, discard }

  var kind: Kind
  /// Order IDs, or entries' numbers as `#210`; nil for all that the act is possible for.
  var orders: [String]?
  /// The reason that orders must have in the ledger; nil for any.
  var reason: String?
  /// The reason of the act, in the operator's words.
  var note: String?
  /// The user who asks for it.
  var actor: String
  /// True if it is to be done, and not only told what would be done.
  var apply: Bool
}

/// The results of an operator's act, an order a line. The shape is a contract, like `StatusReport`'s.
struct ActReport: Codable, Sendable {
  struct Line: Codable, Sendable {
    var id: Int64?
    var order: String
    var state: String?
    /// The result: what was done, or would be.
    var result: String
    /// True if the act is possible for it.
    var isPossible: Bool
  }

  var version = 1
  var applied: Bool
  var lines: [Line]
}

/// Takes operators' acts on orders into the ledger, for commands, whether the daemon runs or not.
struct QueueActs: Sendable {
  let ledger: any LedgerStore
  /// The matching that decides the orders anew, and the log; nil while no daemon runs.
  var wake: (@Sendable () -> Void)?
  var log: Logger?

  /// Says what becomes of the orders, and does it where that is asked for.
  ///
  /// - Throws: `LedgerFailure`, or `CancellationError`.
  func answer(_ request: ActRequest, at now: Timestamp) async throws -> ActReport {
    let lines = try await ledger.transaction { transaction in
      try Self.targets(request, transaction).map { name, order in
        guard let order else {
          return ActReport.Line(order: name, result: "there is no such order in the ledger", isPossible: false)
        }
        return try Self.act(request, on: order, transaction, at: now)
      }
    }
    let isHoldOfAll = request.kind == .hold && request.orders == nil
    let report = ActReport(applied: request.apply, lines: isHoldOfAll ? lines.filter(\.isPossible) : lines)
    guard request.apply else { return report }
    logAct(report, request)
    wake?()
    return report
  }

  /// The orders that a request names, by their IDs as the shop and the log show them, or by entries' numbers.
  private static func targets(
    _ request: ActRequest, _ transaction: any LedgerTransaction
  ) throws -> [(name: String, order: LedgerOrder?)] {
    guard let names = request.orders else {
      let open = Outcome.allCases.filter { $0.isWaiting || $0 == .review }
      var filter = EntryFilter(outcomes: request.kind == .release ? [.held] : open, reason: request.reason)
      var orders: [LedgerOrder] = []
      repeat {
        filter.after = orders.last?.entry ?? filter.after
        orders += try transaction.entries(filter)
      } while orders.last.map { $0.entry != filter.after } ?? false
      return orders.map { ($0.orderID, $0) }
    }
    return try names.flatMap { name -> [(String, LedgerOrder?)] in
      var found = try OrderName(name).orders(in: transaction)
      if let reason = request.reason { found = found.filter { $0.reason == reason } }
      return found.isEmpty ? [(name, nil)] : found.map { (name, $0) }
    }
  }

  private static func act(
    _ request: ActRequest, on order: LedgerOrder, _ transaction: any LedgerTransaction, at now: Timestamp
  ) throws -> ActReport.Line {
    func line(_ result: String, isPossible: Bool = true) -> ActReport.Line {
      ActReport.Line(
        id: order.entry.number, order: order.orderID, state: order.outcome.rawValue, result: result,
        isPossible: isPossible)
    }
    if let obstacle = obstacle(request.kind, order) { return line(obstacle, isPossible: false) }
    guard let id = order.row.transactionID else { return line("its ID can't be read", isPossible: false) }
    switch request.kind {
    case .release:
      let known = try transaction.act(on: order.row)
      let isMissing = order.outcome == .held && order.reason == DecisionReason.rowMissing
      guard order.isOpenedByRules || known != nil || isMissing else {
        return line(whatHolds(order), isPossible: false)
      }
      // A release of ALL does not take back a discard, which was of single orders and for good.
      if known?.kind == .discard, request.orders == nil { return line("it is discarded", isPossible: false) }
      guard request.apply else { return line("would be released") }
      // It is decided again, and its row looked for.
      if known != nil || isMissing { try transaction.removeActs(on: order.row) }
      if order.isOpenedByRules { _ = try transaction.releaseOpenedByRules([order.entry]) }
      return line("released")
    case .hold, .discard:
      // Leaves a discard, and an earlier hold, as they are.
      if request.orders == nil, try transaction.act(on: order.row) != nil {
        return line("an operator has spoken of it", isPossible: false)
      }
      let words = request.kind == .hold ? "held" : "discarded"
      guard request.apply else { return line("would be \(words)") }
      // Nothing that was sent can have had an effect.
      if order.frozen != nil { try transaction.unfreeze(order.entry) }
      try transaction.setAct(
        OperatorAct(
          kind: request.kind == .hold ? .hold : .discard, reason: request.note, actor: request.actor, actedAt: now,
          order: ActedOrder(order.row)), on: id)
      return line(words)
    }
  }

  /// Names the reason that keeps an order back where no operator's act does.
  private static func whatHolds(_ order: LedgerOrder) -> String {
    switch order.outcome {
    case .held: "no operator holds it: \(order.detail ?? order.reason ?? "held")"
    case .review: "no operator holds it: it is in review (\(order.reason ?? "-"))"
    default: "nothing holds it"
    }
  }

  /// The reasons of reviews after a report that the API took: without that report, the order would be sent once more.
  private static let taken = [ReviewReason.answerMismatch.rawValue, ReviewReason.idReused.rawValue]

  /// Tells why the act is not possible for an order; nil where it is.
  private static func obstacle(_ kind: ActRequest.Kind, _ order: LedgerOrder) -> String? {
    guard kind != .release else { return nil }
    switch order.outcome {
    case .reported: return "it is reported; correct it in the partner dashboard"
    case .sending: return "it is being sent just now; try again"
    case .review where order.frozen != nil && Self.taken.contains(order.reason ?? ""):
      return "the API has taken a report of it; correct it in the partner dashboard"
    default: break
    }
    return order.frozen?.hasUnknownOutcome == true
      ? "a send may have been done, and the API is still to be asked; try again later" : nil
  }

  private func logAct(_ report: ActReport, _ request: ActRequest) {
    let done = report.lines.filter(\.isPossible)
    guard let log, !done.isEmpty else { return }
    let note = request.note.map { ": \($0)" } ?? ""
    if done.count > 20 {
      log.event(.byOperator, .notice, "\(request.actor) \(request.kind.past) \(done.count) orders\(note)")
      return
    }
    for line in done {
      log.event(
        .byOperator, .notice, "\(request.actor) \(request.kind.past) order \(line.order)\(note)", ["order": line.order])
    }
  }
}

extension ActRequest.Kind {
  /// The verb in the past.
  var past: String {
    switch self {
    case .release: "released"
    case .hold: "held"
    case .discard: "discarded"
    }
  }
}
