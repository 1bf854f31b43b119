public import Logging

/// The kinds of lines in the daemon's log, by name: the journal's CONVERSIOND_EVENT, from which its MESSAGE_ID follows.
public enum JournalEvent: String, Sendable, CaseIterable {
  /// The daemon is ready.
  case started
  /// The daemon ended.
  case stopped
  /// Another configuration is in force.
  case reloadOK = "reload_ok"
  /// Another configuration was refused.
  case reloadRefused = "reload_refused"
  /// The daemon could not start, or had to end.
  case failed
  /// Orders can't be read.
  case pollFailed = "poll_failed"
  /// Orders can be read again.
  case pollRecovered = "poll_recovered"
  /// Something about the shop's table is not as it should be.
  case pollWarning = "poll_warning"
  /// The method by which changes to the shop's table are found.
  case following
  /// The table, its server or the mapping is another one than before: everything is read again.
  case tableChanged = "table_changed"
  /// The first walk over all orders ended.
  case caughtUp = "caught_up"
  /// Referrals can't be read.
  case mirrorFailed = "mirror_failed"
  /// Referrals can be read again.
  case mirrorRecovered = "mirror_recovered"
  /// The API's list is not what its reference says.
  case mirrorDistrusted = "mirror_distrusted"
  /// The API's list is what its reference says again.
  case mirrorTrusted = "mirror_trusted"
  /// The API doesn't know a referral any more.
  case referralGone = "referral_gone"
  /// A referral is not what the API's reference says, and takes no part.
  case referralUnreadable = "referral_unreadable"
  /// An order was matched to a referral.
  case matched
  /// An order came to another outcome, or to the same for another reason.
  case decided
  /// Many orders were decided within a minute: their counts.
  case decisions
  /// Orders were decided anew, as the rules changed.
  case rulesChanged = "rules_changed"
  /// The API's search can't be believed, or can again.
  case searchDoubted = "search_doubted"
  /// An operator's command on orders.
  case byOperator = "operator"
  /// An order's report is to be sent.
  case queued
  /// The API has an order's report.
  case reported
  /// A send is to be tried again.
  case deferred
  /// A referral was converted by another order or program.
  case superseded
  /// An order stopped qualifying before it was reported.
  case cancelled
  /// Orders that have a referral are missing from the shop's table, or lost what it was found by.
  case rowsMissing = "rows_missing"
  /// An order needs a person.
  case review
  /// A reported order is not what was reported any more.
  case changedSince = "changed_since"
  /// Nothing is sent until a probe succeeds.
  case apiHalted = "api_halted"
  /// Sending goes on.
  case apiRecovered = "api_recovered"
  /// A report that would be sent, under `run --dry-run`.
  case wouldReport = "would_report"
  /// The ledger can't be read or written.
  case ledgerFailed = "ledger_failed"
  /// The ledger can be read and written again.
  case ledgerRecovered = "ledger_recovered"
  /// The ledger is as large as it may be: orders are not read.
  case ledgerFull = "ledger_full"
  /// The ledger has room again: orders are read.
  case ledgerRoom = "ledger_room"
  /// The ledger was restored or rebuilt: what was never sent waits.
  case ledgerReplaced = "ledger_replaced"
  /// The host's clock was set, or another clock contradicts it: what can't be taken back waits.
  case clockUnconfirmed = "clock_unconfirmed"
  /// A loop has not gone on for long: the service manager is about to restart the daemon.
  case loopStuck = "loop_stuck"
  /// The host's clock is confirmed, or believed.
  case clockConfirmed = "clock_confirmed"
}

extension Logger {
  /// Logs an event with its fields; a nil field is left out.
  public func event(
    _ event: JournalEvent, _ level: Logger.Level, _ message: @autoclosure () -> String,
    _ fields: @autoclosure () -> [String: String?] = [:]
  ) {
    guard logLevel <= level else { return }
    var metadata: Logger.Metadata = ["event": .string(event.rawValue)]
    for case (let name, let value?) in fields() { metadata[name] = .string(value) }
    log(level: level, "\(message())", metadata: metadata)
  }
}
