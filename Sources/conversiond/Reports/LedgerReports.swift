import Conversions
import Foundation
import Pipeline

/// Makes the reports on a ledger for operators: the same if the daemon answers or the command opened the file itself.
struct LedgerReports: Sendable {
  /// The most entries in one answer.
  static let pageMax = 1000

  let ledger: any LedgerStore
  let emails: EmailDisplay
  /// The rules by which a total becomes the amount to report.
  let amounts: AmountRules

  /// Fills in what the ledger knows of a status.
  func fill(_ report: inout StatusReport, now: Timestamp, conversionsPerMinute: Int?) async throws {
    let midnight = now.startOfDay
    let facts = try await ledger.transaction { tx in
      (
        counts: try tx.outcomeCounts(), today: try tx.outcomes(since: midnight), mirror: try tx.mirrorProgress(),
        referrals: try tx.referralCounts(), intake: try tx.intakeProgress(), changes: try tx.changesSinceReports(),
        hasConflicts: try ConflictHint.applies(to: tx), byRules: try tx.openedByRules(),
        missing: try tx.heldMissingCount(),
        halt: try tx.sendingHalt(), quietUntil: try QuietAfterRebuild(tx).end(),
        waiting: try tx.waitingReports(),
        unreadable: try tx.count(of: .queued, reason: QueuedReason.referralUnreadable.rawValue)
      )
    }
    report.outcomes = Outcome.allCases.compactMap { outcome in
      facts.counts.first { $0.outcome == outcome }.map { count in
        StatusReport.Count(
          outcome: outcome.rawValue, count: count.count,
          oldestSeconds: count.oldest.map { (now - $0).components.seconds })
      }
    }
    report.today = Dictionary(uniqueKeysWithValues: facts.today.map { ($0.key.rawValue, $0.value) })
    report.changedSince = Dictionary(
      uniqueKeysWithValues: facts.changes.filter(\.key.needsCorrection).map { ($0.key.rawValue, $0.value) })
    report.conflicts = facts.hasConflicts ? ConflictHint.words : nil
    report.heldByRules = facts.byRules > 0 ? facts.byRules : nil
    report.heldMissing = facts.missing > 0 ? facts.missing : nil
    report.waiting = StatusReport.Waiting(
      reports: facts.waiting.count, cents: facts.waiting.cents, nextAt: facts.waiting.nextAt?.description)
    report.waitingForUnreadable = facts.unreadable > 0 ? facts.unreadable : nil
    report.caughtUpAt = facts.intake.caughtUpAt?.description
    report.lastWalkAt = facts.intake.lastWalkAt?.description
    report.quietUntil = facts.quietUntil?.description
    report.mirror.entries = Dictionary(uniqueKeysWithValues: facts.referrals.map { ($0.key.rawValue, $0.value) })
    report.mirror.completeSweepAt = facts.mirror.completeSweepEndedAt?.description
    report.mirror.ageSeconds = facts.mirror.completeSweepBeganAt.map { (now - $0).components.seconds }
    report.mirror.distrust = facts.mirror.distrust
    report.halt = facts.halt.map { halt in
      StatusReport.Halt(
        reason: halt.reason.rawValue, detail: halt.detail, remedy: halt.reason.remedy, since: halt.since.description)
    }
    guard report.isWorking, report.halt == nil, report.caughtUpAt != nil else { return }
    let toSend = facts.counts.filter { [.queued, .sending].contains($0.outcome) }.reduce(0) { $0 + $1.count }
    report.drainSeconds = conversionsPerMinute.map { Int64(toSend) * 60 / Int64(max(1, $0)) }
  }

  func entries(_ filter: EntryFilter) async throws -> EntryPage {
    var filter = filter
    filter.limit = min(max(filter.limit, 1), Self.pageMax)
    let bounded = filter
    return try await ledger.transaction { transaction in
      let (orders, wait) = (try transaction.entries(bounded), try FirstSendWait(transaction))
      let next = orders.count == bounded.limit ? orders.last?.entry.number : nil
      var page = EntryPage(entries: orders.map { report(of: $0, wait) }, nextAfter: next)
      guard next == nil, bounded.reason == nil, bounded.decidedBefore == nil else { return page }
      func sum(_ counts: [Outcome: Int]) -> Int { bounded.outcomes.reduce(0) { $0 + (counts[$1] ?? 0) } }
      (page.countedOnly, page.settledOnly) = (
        sum(try transaction.dismissedCounts()), sum(try transaction.settledCounts())
      )
      return page
    }
  }

  /// One entry with its candidates and sends; nil where there is none.
  func entry(_ id: EntryID) async throws -> EntryReport? {
    let found = try await ledger.transaction { tx in try tx.entry(id).map { try EntryFacts($0, tx) } }
    return found.map { report(of: $0) }
  }

  /// The entries that a name means, with their candidates and sends.
  func entries(named name: String) async throws -> [EntryReport] {
    let found = try await ledger.transaction { tx in try OrderName(name).orders(in: tx).map { try EntryFacts($0, tx) } }
    return found.map { report(of: $0) }
  }

  /// All that the ledger knows of one order.
  private struct EntryFacts: Sendable {
    let order: LedgerOrder
    let sends: [Attempt]
    let candidates: [CandidateRecord]
    let wait: FirstSendWait?
    let act: OperatorAct?

    init(_ order: LedgerOrder, _ ledger: any LedgerTransaction) throws {
      self.order = order
      (sends, candidates) = (try ledger.attempts(of: order.entry), try ledger.candidates(of: order.entry))
      wait = try FirstSendWait(ledger)
      act = try ledger.act(on: order.row)
    }
  }

  private func report(of found: EntryFacts) -> EntryReport {
    var report = report(of: found.order, found.wait)
    report.operatorAct = found.act.map {
      EntryReport.Act(act: $0.kind.rawValue, by: $0.actor, at: $0.actedAt.description, reason: $0.reason)
    }
    report.body = found.order.frozen.map { emails.shown(in: String(decoding: $0.report.body, as: UTF8.self)) }
    report.sends = found.sends.map { send in
      EntryReport.Send(
        attempt: send.number, startedAt: send.startedAt.description,
        durationMilliseconds: send.duration?.wholeMilliseconds, httpStatus: send.httpStatus, verdict: send.verdict,
        detail: send.detail)
    }
    report.candidates = found.candidates.map {
      EntryReport.Candidate(
        referral: $0.referralID.text, matchedBy: $0.matchedBy.rawValue, verdict: $0.verdict.rawValue)
    }
    return report
  }

  /// The amount of a row that changed after its report; nil where the ledger doesn't know the row as it is now.
  private func presentValue(of entry: LedgerOrder) -> Int64? {
    guard entry.changedSince == .amountChanged, let order = entry.order,
      case .value(let cents?) = amounts.judge(order.total)
    else { return nil }
    return cents == entry.reportedValue ? nil : cents
  }

  private func report(of entry: LedgerOrder, _ firstSendWait: FirstSendWait?) -> EntryReport {
    let wait = entry.outcome == .queued && !entry.mayHaveBeenDone ? firstSendWait : nil
    let dueAt = [entry.dueAt, wait?.until].compactMap(\.self).max()
    return EntryReport(
      id: entry.entry.number, order: entry.orderID, key: entry.row.key.shown, state: entry.outcome.rawValue,
      reason: entry.reason, detail: wait?.words ?? entry.detail, referral: entry.referralID?.text,
      valueCents: entry.reportedValue, email: entry.order?.email.map(emails.shown),
      externalSourceId: entry.order?.externalSourceID.map { emails.shown(in: $0.text) },
      placedAt: entry.order?.placedAt.earliest.description,
      firstSeenAt: entry.firstSeenAt.description, decidedAt: entry.decidedAt?.description,
      dueAt: dueAt?.description, attempts: entry.frozen?.attempts ?? 0,
      unknownOutcome: entry.frozen?.hasUnknownOutcome ?? false,
      evidence: entry.reason == "evidence_api" ? "API" : nil, changedSince: entry.changedSince?.rawValue,
      presentValueCents: presentValue(of: entry))
  }
}

/// The name by which an operator means orders: their ID, or an entry's number, written `#210`.
struct OrderName: Sendable {
  private let text: String

  init(_ text: String) { self.text = text }

  /// Returns the orders with this ID; where there is none, the entry with this number, unless the shop's own IDs begin so:
  /// another order than the one meant would be discarded.
  func orders(in ledger: any QueueRecords) throws -> [LedgerOrder] {
    let found = try ledger.entries(ofOrder: text)
    guard found.isEmpty, text.hasPrefix("#"), let number = Int64(text.dropFirst()),
      try !ledger.hasOrder(withIDFrom: "#")
    else { return found }
    return try ledger.entry(EntryID(number)).map { [$0] } ?? []
  }
}

extension Timestamp {
  /// Midnight in UTC of its day.
  var startOfDay: Timestamp {
    let day: Int64 = 86_400_000_000
    return Timestamp(microseconds: microseconds - ((microseconds % day) + day) % day)
  }
}
