import Conversions
import Pipeline

/// A status as people read it.
struct StatusScreen {
  let report: StatusReport

  var text: String {
    [header, health, mirror, outcomes].joined(separator: "\n")
  }

  private var header: String {
    let pid = report.pid.map { ", process \($0)" } ?? ""
    let since = report.startedAt.map { ", since \($0)" } ?? ""
    let dry = report.dryRun ? ", DRY RUN: nothing is sent" : ""
    return
      "conversiond \(report.program): \(report.state)\(pid)\(since)\(dry)\nledger \(report.ledger)\n\(refusedReload)"
  }

  private var refusedReload: String {
    guard let refused = report.reloadRefused else { return "" }
    let reasons = refused.reasons.map { "  \(Table.printable($0))\n" }.joined()
    return
      "NEEDS A PERSON: the configuration on the disk was refused at \(refused.since), and the one from before is in "
      + "force; mend it, then systemctl reload conversiond\n\(reasons)"
  }

  private var health: String {
    var table = Table(["", "state", "since", ""])
    for (name, health) in [
      ("shop's database", report.database), ("API, reading", report.api), ("API, sending", report.delivery),
      ("ledger", report.ledgerHealth), ("clock", report.clock ?? .unknown),
    ] {
      table.add([name, health.state, health.since ?? "-", health.message ?? ""])
    }
    return table.text + clock
  }

  private var clock: String {
    guard report.clock?.state == "unconfirmed" else { return "" }
    guard report.clock?.message != TrustedClock.unheard else {
      return "the clock is confirmed by the API's first answer: no order is sent for the first time before\n"
    }
    return
      "CLOCK UNCONFIRMED (it shows \(report.now)): no hold ends, nothing is given up, no order is sent for the first "
      + "time; set it right, or accept it: conversiond resume --clock\n"
  }

  private var mirror: String {
    let total = report.mirror.entries.values.reduce(0, +)
    let kinds = report.mirror.entries.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
    let age = report.mirror.ageSeconds.map { Age.text(.seconds($0)) + " ago" } ?? "never"
    let distrust = report.mirror.distrust.map { "\nDISTRUSTED  \(Table.printable($0))" } ?? ""
    let catchingUp =
      report.caughtUpAt == nil ? "catching up: nothing is sent before every order and referral is known" : nil
    let wait = (report.quietUntil.map(QuietAfterRebuild.words) ?? catchingUp).map { "\n\($0)" } ?? ""
    let list = kinds.isEmpty ? "" : ": " + kinds.joined(separator: ", ")
    return "\(total) referrals\(list); complete sweep began \(age)\(distrust)\(wait)\n"
  }

  private var outcomes: String {
    var table = Table(["outcome", "orders", "today", "oldest"], right: [1, 2])
    for count in report.outcomes {
      let isOpen = Outcome(rawValue: count.outcome).map { $0.isWaiting || $0 == .review } ?? false
      table.add([
        count.outcome, String(count.count), String(report.today[count.outcome] ?? 0),
        isOpen ? count.oldestSeconds.map { Age.text(.seconds($0)) } ?? "-" : "",
      ])
    }
    guard !report.outcomes.isEmpty else { return "no orders yet\n" + halt + doubts }
    let drain = report.drainSeconds.map { $0 > 0 ? "the queue drains in about \(Age.text(.seconds($0)))\n" : "" } ?? ""
    return table.text + drain + halt + doubts + review + held + unreadable + corrections
      + (report.conflicts.map { "NEEDS A PERSON: \($0)\n" } ?? "")
  }

  private var halt: String {
    report.halt.map { "NEEDS A PERSON: sending is halted since \($0.since): \(Table.printable($0.words))\n" } ?? ""
  }

  private var doubts: String {
    (report.doubts ?? []).map { "NEEDS A PERSON: \(Table.printable($0))\n" }.joined()
  }

  private var unreadable: String {
    report.waitingForUnreadable.map { count in
      "NEEDS A PERSON: \(count) orders wait as a referral that may be theirs can't be read: conversiond queue list "
        + "--reason referral_unreadable\n"
    } ?? ""
  }

  private var review: String {
    guard report.inReview > 0 else { return "" }
    return "NEEDS A PERSON: \(report.inReview) orders are in review: conversiond queue list --state review\n"
  }

  private var held: String {
    let rules = report.heldByRules.map { count in
      "NEEDS A PERSON: \(count) orders became sendable as the rules changed, and are held: conversiond queue release ALL "
        + "--reason rules_changed\n"
    }
    let missing = report.heldMissing.map { count in
      "NEEDS A PERSON: \(count) orders are held as their rows are missing: conversiond queue list --state held --reason "
        + "row_missing\n"
    }
    return (rules ?? "") + (missing ?? "")
  }

  private static func listing(_ kind: ChangeAfterReport) -> String {
    switch kind {
    case .cancelledSince: "  conversiond queue list --state reported --reason cancelled_since\n"
    case .amountChanged: "  conversiond queue list --state reported --reason amount_changed\n"
    case .archived: ""
    }
  }

  private var corrections: String {
    let kinds = (report.changedSince ?? [:]).sorted { $0.key < $1.key }
    guard !kinds.isEmpty else { return "" }
    let counts = kinds.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
    let commands = kinds.compactMap { ChangeAfterReport(rawValue: $0.key).map(Self.listing) }.joined()
    return "changed after the report: \(counts); correct them in the partner dashboard:\n\(commands)"
  }
}
