/// Shows what `restore` did, or would do, as people read it.
struct RestoreScreen {
  /// The most orders that are named in a line.
  private static let namesMax = 10

  let report: RestoreReport

  var text: String {
    let kept = report.restored ? "kept" : "would be kept"
    var lines = [
      "\(report.backup) is a backup, last written \(report.lastWrite ?? "never"): \(report.orders) orders, "
        + "\(report.reports) of them reported",
      "  present      \(report.keptAs.map { "\(kept) as \($0), with its -wal" } ?? "there is no ledger yet")",
    ]
    if let since = report.since {
      lines += changes(since)
    } else if let failure = report.ledgerFailure {
      lines += [
        "  not readable \(failure)",
        "  lost         what operators held or discarded since, and people who were forgotten since: say it again with "
          + "`conversiond queue` and `conversiond forget EMAIL`",
      ]
    }
    lines += [
      "  unknown      what was sent from \(report.unknownFrom) to \(report.unknownTo): the API is asked",
      "  first sends  of what was never sent: not before \(report.quietUntil), and a complete sweep of the referrals",
      report.restored ? "restored; start the daemon when you are content" : "nothing was changed; --yes does it",
    ]
    return lines.map(Table.printable).joined(separator: "\n") + "\n"
  }

  private func changes(_ since: RestoreReport.Since) -> [String] {
    var lines = [
      "  sent since   \(since.sent.count) orders, which the API has: not sent again\(Self.names(since.sent))"
    ]
    if since.unclear.count > 0 {
      lines.append(
        "  unclear      \(since.unclear.count) orders may have been sent: decided by what the API shows"
          + Self.names(since.unclear))
    }
    for act in since.acts.prefix(Self.namesMax) {
      lines.append("  taken over   \(act.act) of order \(act.order) by \(act.by), \(act.at)")
    }
    if since.acts.count > Self.namesMax {
      lines.append("  taken over   \(since.acts.count - Self.namesMax) more acts of operators")
    }
    if since.released.count > 0 {
      lines.append(
        "  stand again  \(since.released.count) holds and discards that were taken back since: release them again"
          + Self.names(since.released))
    }
    return lines + people(since)
  }

  private func people(_ since: RestoreReport.Since) -> [String] {
    var lines: [String] = []
    if since.forgotten > 0 { lines.append("  taken over   \(since.forgotten) people stay forgotten") }
    if since.forgottenKeptBack > 0 {
      lines.append(
        "  not erased   \(since.forgottenKeptBack) of them, of whom an order must come to its end first: run "
          + "`conversiond forget EMAIL` again then")
    }
    if since.forgottenLost > 0 {
      lines.append(
        "  lost         \(since.forgottenLost) people were forgotten by another ledger's key: run `conversiond forget EMAIL` "
          + "again for each")
    }
    return lines
  }

  /// The first few orders' IDs, behind a colon.
  private static func names(_ orders: RestoreReport.Orders) -> String {
    guard !orders.first.isEmpty else { return "" }
    let names = orders.first.prefix(namesMax).joined(separator: ", ")
    return ": " + names + (orders.count > min(orders.first.count, namesMax) ? ", ..." : "")
  }
}
