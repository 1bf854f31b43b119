/// Shows what `rebuild` did, or would do, as people read it.
struct RebuildScreen {
  let report: RebuildReport
  /// True if it is unknown from when on orders take part, which `orders.start: now` doesn't say.
  let hasLostStart: Bool

  var text: String {
    let (taken, lost) = (report.salvaged, report.lost)
    var lines = [
      "\(report.ledger) is \(report.damage.map { "damaged: \($0)" } ?? "whole")",
      "  old ledger   \(report.rebuilt ? "kept" : "would be kept") as \(report.keptAs), with its -wal",
      "  taken over   \(taken.reported) reported, \(taken.discarded) discarded, \(taken.review) in review, "
        + "\(taken.sentAgain) to be sent again with the same bytes, \(taken.finishedLongAgo) finished long ago, "
        + "\(taken.forgotten) forgotten people",
      "  all else     comes from the shop and the API again",
      "  first sends  of what was never sent: not before \(report.quietUntil), and a complete sweep of the referrals",
    ]
    if lost.entriesUnreadable > 0 {
      lines.append("  not readable \(lost.entriesUnreadable) entries, each of which may have been an order, or none")
    }
    if lost.ordersDistrusted > 0 {
      lines.append("  not believed \(lost.ordersDistrusted) orders whose content is not what it was")
    }
    for table in lost.tablesIncomplete { lines.append("  not complete \(Self.words[table] ?? table)") }
    lines += advice
    return lines.map(Table.printable).joined(separator: "\n") + "\n"
  }

  private static let words = [
    "orders": "the orders: what was reported is known by its converted referral alone",
    "reports": "the reports: an order that may have been done is decided anew, by what the API shows",
    "settled": "what was finished long ago",
    "forgotten": "the people who were forgotten: run `conversiond forget EMAIL` again for each",
    "acts": "what operators held, released or discarded: say it again with `conversiond queue`",
  ]

  private var isComplete: Bool {
    let lost = report.lost
    return lost.entriesUnreadable == 0 && lost.ordersDistrusted == 0 && lost.tablesIncomplete.isEmpty
  }

  private var advice: [String] {
    var lines: [String] = []
    if hasLostStart {
      lines.append(
        "orders.start is now: orders placed before this ledger's next start take no part; set it to a date before it")
    }
    if !isComplete {
      lines.append(
        "an order that was discarded, or in review, and could not be read, is an order like any other again: "
          + "`conversiond run --dry-run` says what would be sent")
    }
    lines.append(report.rebuilt ? "start the daemon when you are content" : "nothing was changed; --yes does it")
    return lines
  }
}
